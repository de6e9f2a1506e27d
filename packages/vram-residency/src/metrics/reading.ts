import type { Capacity, Residency } from "../residency.js";
import type { AuditTrailStatus, ShardStatus } from "../status.js";

/** How all open residencies of the process stand, added up. */
export interface Reading {
  readonly states: readonly Residency["state"][];
  readonly shards: readonly ShardStatus[];
  readonly trails: readonly AuditTrailStatus[];
  /** By the device's UUID. */
  readonly capacities: ReadonlyMap<string, Capacity>;
  readonly nowMs: number;
}

export function readResidencies(residencies: readonly Residency[]): Reading {
  return {
    states: residencies.map(({ state }) => state),
    shards: residencies.flatMap(({ shards }) => shards),
    trails: residencies.map(({ auditTrail }) => auditTrail),
    capacities: readCapacities(residencies),
    nowMs: Date.now(),
  };
}

/** Residencies on the same device share its memory: what each uses and reserves is added up. */
function readCapacities(residencies: readonly Residency[]): ReadonlyMap<string, Capacity> {
  const capacities = new Map<string, Capacity>();
  for (const residency of residencies) {
    for (const { uuid } of residency.devices) {
      const own = residency.capacity(uuid);
      const others = capacities.get(uuid);
      capacities.set(uuid, others === undefined ? own : joined(own, others));
    }
  }
  return capacities;
}

function joined(one: Capacity, other: Capacity): Capacity {
  const totalBytes = Math.max(one.totalBytes, other.totalBytes);
  const usedBytes = one.usedBytes + other.usedBytes;
  const reservedBytes = one.reservedBytes + other.reservedBytes;
  return { totalBytes, usedBytes, reservedBytes, availableBytes: Math.max(0, totalBytes - usedBytes - reservedBytes) };
}
