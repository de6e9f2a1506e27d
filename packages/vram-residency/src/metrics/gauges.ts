import type { Capacity } from "../residency.js";
import type { AuditTrailStatus, ShardStatus } from "../status.js";
import type { Sample } from "./metric-set.js";
import type { Reading } from "./reading.js";

interface GaugeOfReading {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly samples: (reading: Reading) => readonly Sample<string>[];
}

const SHARD_STATES = ["sealed", "repairing"] as const;

/** What is read at a scrape. Bytes, seconds, and shares from 0 to 1. */
export const GAUGES: readonly GaugeOfReading[] = [
  {
    name: "vram_workers",
    help: "Open residencies by state: ready, or stopped after a refusal.",
    labelNames: ["state"],
    samples: ({ states }) => counted(["ready", "stopped"], states),
  },
  {
    name: "vram_device_memory_bytes",
    help: "Memory of a device.",
    labelNames: ["gpu_uuid"],
    samples: ({ capacities }) => byDevice(capacities, ({ totalBytes }) => totalBytes),
  },
  {
    name: "vram_device_memory_used_bytes",
    help: "Memory that shards, and seals under way, take.",
    labelNames: ["gpu_uuid"],
    samples: ({ capacities }) => byDevice(capacities, ({ usedBytes }) => usedBytes),
  },
  {
    name: "vram_device_memory_reserved_bytes",
    help: "Memory that is never given to shards.",
    labelNames: ["gpu_uuid"],
    samples: ({ capacities }) => byDevice(capacities, ({ reservedBytes }) => reservedBytes),
  },
  {
    name: "vram_device_memory_available_bytes",
    help: "Memory that shards may still take.",
    labelNames: ["gpu_uuid"],
    samples: ({ capacities }) => byDevice(capacities, ({ availableBytes }) => availableBytes),
  },
  {
    name: "vram_shards",
    help: "Resident shards by state; the seal of one that is being repaired is void.",
    labelNames: ["state"],
    samples: ({ shards }) => counted(SHARD_STATES, shards.map(({ state }) => state)),
  },
  {
    name: "vram_shard_bytes",
    help: "Bytes of the resident shards.",
    labelNames: ["gpu_uuid"],
    samples: ({ capacities, shards }) =>
      byDevice(capacities, (_, uuid) => sum(shards, ({ gpuUuid, vramBytes }) => (gpuUuid === uuid ? vramBytes : 0))),
  },
  {
    name: "vram_oldest_verification_age_seconds",
    help: "Time since the resident shard whose verification is the oldest was found good in device memory; absent without shards.",
    labelNames: ["state"],
    samples: ({ shards, nowMs }) =>
      SHARD_STATES.flatMap((state) => {
        const ages = shards.filter((shard) => shard.state === state).map(({ verifiedAt }) => nowMs - Date.parse(verifiedAt));
        return ages.length === 0 ? [] : [[{ state }, Math.max(0, ...ages) / 1000]];
      }),
  },
  {
    name: "vram_scrub_progress_ratio",
    help: "Share of the bytes under a scrub that its pass has verified; absent without a scrub.",
    labelNames: ["gpu_uuid"],
    samples: ({ capacities, shards }) => [...capacities.keys()].flatMap((uuid) => scrubProgress(uuid, shards)),
  },
  {
    name: "vram_audit_trails",
    help: "Audit trails of open residencies by state: open, or failed for good.",
    labelNames: ["state"],
    samples: ({ trails }) => counted(["open", "failed"], trails.map(({ state }) => state)),
  },
  {
    name: "vram_audit_log_events",
    help: "Durable events of an audit log.",
    labelNames: ["origin"],
    samples: ({ trails }) => trails.map(({ origin, size }) => [{ origin }, size]),
  },
  {
    name: "vram_audit_mirror_dropped_events",
    help: "Events that the mirror of an open audit log did not take.",
    labelNames: ["origin"],
    samples: ({ trails }) => trails.map(({ origin, mirrorDropped }) => [{ origin }, mirrorDropped]),
  },
  {
    name: "vram_audit_anchor_lag_events",
    help: "Events of an open audit log behind the newest checkpoint that an anchor kept.",
    labelNames: ["origin", "anchor"],
    samples: ({ trails }) => byAnchor(trails, ({ keptSize }, { size }) => size - keptSize),
  },
  {
    name: "vram_audit_anchor_failing",
    help: "1 if an anchor did not keep the newest checkpoint that it was given, else 0.",
    labelNames: ["origin", "anchor"],
    samples: ({ trails }) => byAnchor(trails, ({ lastFailure }) => (lastFailure === null ? 0 : 1)),
  },
  {
    name: "vram_audit_anchor_failed_checkpoints",
    help: "Checkpoints of an open audit log that an anchor did not keep.",
    labelNames: ["origin", "anchor"],
    samples: ({ trails }) => byAnchor(trails, ({ failures }) => failures),
  },
];

function counted(values: readonly string[], found: readonly string[]): readonly Sample<"state">[] {
  return values.map((state) => [{ state }, found.filter((each) => each === state).length]);
}

function byDevice(capacities: Reading["capacities"], valueOf: (capacity: Capacity, uuid: string) => number): readonly Sample<"gpu_uuid">[] {
  return [...capacities].map(([uuid, capacity]) => [{ gpu_uuid: uuid }, valueOf(capacity, uuid)]);
}

function scrubProgress(uuid: string, shards: readonly ShardStatus[]): readonly Sample<"gpu_uuid">[] {
  const scrubs = shards.flatMap(({ gpuUuid, scrub }) => (gpuUuid === uuid && scrub !== null ? [scrub] : []));
  if (scrubs.length === 0) return [];
  return [[{ gpu_uuid: uuid }, sum(scrubs, ({ doneBytes }) => doneBytes) / sum(scrubs, ({ totalBytes }) => totalBytes)]];
}

type Anchor = AuditTrailStatus["anchors"][number];

function byAnchor(trails: readonly AuditTrailStatus[], valueOf: (anchor: Anchor, trail: AuditTrailStatus) => number): readonly Sample<"origin" | "anchor">[] {
  return trails.flatMap((trail) =>
    trail.anchors.map((anchor): Sample<"origin" | "anchor"> => [{ origin: trail.origin, anchor: anchor.name }, valueOf(anchor, trail)]),
  );
}

function sum<T>(list: readonly T[], valueOf: (each: T) => number): number {
  return list.reduce((total, each) => total + valueOf(each), 0);
}
