import { channel, tracingChannel } from "node:diagnostics_channel";
import type { Channel, TracingChannel } from "node:diagnostics_channel";
import type { AuditEvent } from "vram-audit";

/** What a residency does that takes time. `seal` goes through `load`, `freeze`, `digest` and `sign`; `verify` through `digest`. */
export const OPERATION_NAMES = [
  "open",
  "seal",
  "load",
  "freeze",
  "digest",
  "sign",
  "verify",
  "execute",
  "attest",
  "release",
  "scrub",
  "reseal",
  "rotate_key",
  "retire_key",
] as const;

/** The operations that messages tell of. @useDeclaredType */
export type OperationName = (typeof OPERATION_NAMES)[number];

/** Names of shards, models and GPUs, byte counts: never a key, an address, a path or a weight byte. */
export type OperationAttributes = Readonly<Record<string, string | number | boolean>>;

/** One operation, the same object from its start to its end. */
export interface OperationMessage {
  readonly name: OperationName;
  readonly attributes: OperationAttributes;
  /** By `performance.now()`. */
  readonly startMs: number;
  /** The id that its events in the audit trail carry. */
  readonly correlationId: string | undefined;
  /** What it resolved to; of `open`, the residency. */
  readonly result?: unknown;
  /** What it rejected with: a `VramError`, but for what the `fn` of an `execute` threw, and for a single step of a seal. */
  readonly error?: unknown;
}

/** An event that was handed to the audit trail. */
export interface AuditedMessage {
  readonly event: AuditEvent;
  /** Milliseconds until it was durable, or refused. */
  readonly durationMs: number;
  /** Why the trail did not take it. */
  readonly error?: unknown;
}

/** Node's tracing channel of every operation: `tracing:vram-residency:operation:start`, `:asyncEnd`, `:error` and the others. */
export const operationChannel: TracingChannel<unknown, OperationMessage> = tracingChannel("vram-residency:operation");

/** The channel with one message for each event, after the trail has answered. */
export const AUDITED_CHANNEL = "vram-residency:audited";

export const auditedChannel: Channel<unknown, AuditedMessage> = channel(AUDITED_CHANNEL) as Channel<unknown, AuditedMessage>;
