import type { AuditEvent } from "vram-audit";
import { correlationId } from "../correlation.js";
import type { HeldMemory } from "../registry.js";
import { auditedChannel, operationChannel } from "./channels.js";
import type { AuditedMessage, OperationAttributes, OperationMessage, OperationName } from "./channels.js";

/** Runs an operation, and tells who listens of its start and its end. */
export function traced<T>(name: OperationName, attributes: OperationAttributes, operation: () => Promise<T>): Promise<T> {
  if (!operationChannel.hasSubscribers) return operation();
  const message: OperationMessage = { name, attributes, startMs: performance.now(), correlationId: correlationId() };
  return operationChannel.tracePromise(async () => operation(), message);
}

/** The same for an operation on the memory of one shard, or on `byteLength` bytes of it. */
export function tracedOn<T>(
  { shardId, host: { device: { facts } }, allocation }: HeldMemory,
  name: OperationName,
  operation: () => Promise<T>,
  byteLength = allocation.byteLength,
): Promise<T> {
  return traced(name, { "vram.shard.id": shardId, "vram.bytes": byteLength, "vram.gpu.uuid": facts.uuid }, operation);
}

/** Appends an event to the audit trail, and tells who listens how that went. */
export async function audited<T>(event: AuditEvent, append: () => Promise<T>): Promise<T> {
  if (!auditedChannel.hasSubscribers) return append();
  const startMs = performance.now();
  const publish = (outcome: Pick<AuditedMessage, "error">): void => {
    auditedChannel.publish({ event, durationMs: performance.now() - startMs, ...outcome });
  };
  try {
    const receipt = await append();
    publish({});
    return receipt;
  } catch (error) {
    publish({ error });
    throw error;
  }
}
