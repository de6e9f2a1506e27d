import { z } from "zod";
import {
  correlationId,
  count,
  DAMAGED_BLOCKS_MAX,
  DAMAGED_TENSORS_MAX,
  digest,
  driverId,
  driverResult,
  errorCode,
  exactly,
  flag,
  instanceId,
  keyId,
  list,
  LIVE_SHARDS_MAX,
  milliseconds,
  name,
  oneOf,
  originName,
  publicKey,
  record,
  shardId,
  source,
  SUBTREES_MAX,
  text,
} from "./fields.js";

const info = oneOf("info");
const warning = oneOf("warning");
const critical = oneOf("critical");
const backend = oneOf("cuda", "simulator", "custom");

function event<Type extends string, Severity extends z.ZodType, Data extends z.ZodType>(type: Type, severity: Severity, data: Data) {
  return record({
    type: exactly(type),
    severity,
    subject: text.optional(),
    source: source.optional(),
    correlationid: correlationId.optional(),
    data,
  });
}

const vramSealed = event(
  "vram.shard.sealed",
  info,
  record({
    shardId,
    modelRef: name.nullable(),
    vramBytes: count,
    digest,
    gpuDevice: count,
    gpuUuid: text,
    backend,
    kernel: digest,
    keyId,
    keyLocked: flag,
    sealSequence: count,
    placement: record({ bufferId: driverId, blockId: driverId, access: oneOf("read", "read-write") }),
    expected: record({ fsverity: digest.optional(), sha256: digest.optional(), identity: text.optional() }).nullable(),
  }),
);

const vramResealed = event(
  "vram.shard.resealed",
  info,
  record({ shardId, digest, keyId, keyLocked: flag, sealSequence: count, previousKeyId: keyId, previousSealSequence: count }),
);

const keyRotated = event("vram.key.rotated", info, record({ keyId, keyLocked: flag, previousKeyId: keyId }));
const keyRetired = event("vram.key.retired", info, record({ keyId }));

export const sealVerified = event("vram.shard.verified", info, record({ shardId, digest, vramBytes: count, durationMs: milliseconds }));

/** Blocks of 4096 bytes that are not what was sealed: all are counted, the first are named. `singleBit`: one flipped bit explains the block. */
const damage = record({
  blockCount: count,
  blocks: list(record({ index: count, singleBit: flag.nullable(), tensors: list(text, DAMAGED_TENSORS_MAX) }), DAMAGED_BLOCKS_MAX),
});

const rangeVerified = event(
  "vram.range.verified",
  info,
  record({ shardId, digest, byteOffset: count, byteLength: count, durationMs: milliseconds }),
);

/** Why a seal, or bytes that were to be sealed, were refused. */
export const VERIFICATION_FAILURE_REASONS = [
  "shape",
  "mac",
  "statement",
  "instance",
  "unknown_shard",
  "age",
  "placement",
  "digest",
  "driver",
  "load",
  "expect",
] as const;

/** Why a damaged shard was not repaired. */
export const REPAIR_REFUSAL_REASONS = ["source", "damage", "quarantine", "in_use", "driver", "digest"] as const;

const sealVerificationFailed = event(
  "vram.seal.verification_failed",
  critical,
  record({
    shardId: shardId.nullable(),
    reason: oneOf(...VERIFICATION_FAILURE_REASONS),
    expectedDigest: digest.nullable(),
    actualDigest: digest.nullable(),
    rules: list(text),
    damage: damage.optional(),
  }),
);

const vramScrubbed = event("vram.shard.scrubbed", info, record({ shardId, digest, vramBytes: count, ranges: count, durationMs: milliseconds }));
const vramRepaired = event("vram.shard.repaired", critical, record({ shardId, digest, blocks: count }));
const repairRefused = event(
  "vram.shard.repair_refused",
  critical,
  record({ shardId, reason: oneOf(...REPAIR_REFUSAL_REASONS) }),
);
const deviceQuarantined = event("vram.device.quarantined", critical, record({ gpuDevice: count, gpuUuid: text, shardId, block: count }));

const vramAllocationFailed = event(
  "vram.allocation.failed",
  warning,
  record({
    shardId,
    code: errorCode,
    neededBytes: count.nullable(),
    availableBytes: count.nullable(),
    entryPoint: text.nullable(),
    result: driverResult.nullable(),
  }),
);

const vramDeallocated = event(
  "vram.shard.deallocated",
  oneOf("info", "critical"),
  record({
    shardId,
    vramBytes: count,
    allocatedBytes: count,
    wiped: flag,
    lost: flag,
    cause: oneOf("released", "undone", "closed"),
  }),
).refine(({ severity, data }) => (severity === "critical") === !data.wiped, {
  path: ["severity"],
  error: 'be "critical" when data.wiped is false, else "info"',
});

const policyViolation = event(
  "vram.policy.violation",
  critical,
  record({ stage: oneOf("open", "seal", "rotate"), shardId: shardId.nullable(), violations: list(record({ rule: text, reason: text })) }),
);

const workerStarted = event(
  "vram.worker.started",
  info,
  record({
    workerId: name,
    instanceId,
    backend,
    gpuDevice: count,
    gpuUuid: text,
    gpuName: text,
    driverVersion: text,
    librarySha256: digest,
    kernel: digest,
    keyId,
    keyLocked: flag,
    policy: list(record({ rule: text, verdict: text })),
  }),
);

const workerStopped = event(
  "vram.worker.stopped",
  oneOf("info", "critical"),
  record({ workerId: name, instanceId, state: oneOf("stopped", "closed"), code: errorCode.nullable() }),
);

const auditOpened = event("vram.audit.opened", info, record({ publicKey, origin: originName, keyName: originName }));
const auditRecovered = event(
  "vram.audit.recovered",
  warning,
  record({ cutBytes: count, liveShards: list(shardId, LIVE_SHARDS_MAX), uncleanEnd: flag }),
);
const segment = record({ first: count, last: count, bytes: count, sha256: digest });
const auditRotated = event(
  "vram.audit.rotated",
  info,
  record({
    publicKey,
    origin: originName,
    closed: segment,
    subtrees: list(digest, SUBTREES_MAX),
    liveShards: list(shardId, LIVE_SHARDS_MAX),
  }),
);
const auditRetired = event("vram.audit.retired", info, record({ segments: list(segment), root: digest }));
const anchorFailed = event("vram.audit.anchor_failed", warning, record({ anchor: name, code: errorCode, keptSize: count }));
const anchorRestored = event("vram.audit.anchor_restored", info, record({ anchor: name, keptSize: count }));
const auditClosed = event("vram.audit.closed", info, record({}));

/** What a worker may append. */
export const workerEventSchema = z.discriminatedUnion(
  "type",
  [
    vramSealed,
    vramResealed,
    sealVerified,
    sealVerificationFailed,
    rangeVerified,
    vramScrubbed,
    vramRepaired,
    repairRefused,
    deviceQuarantined,
    vramAllocationFailed,
    vramDeallocated,
    policyViolation,
    workerStarted,
    workerStopped,
    keyRotated,
    keyRetired,
  ],
  "be one of the known event types",
);

/** Everything a line can hold: a worker's events and the log's own. */
export const knownEventSchema = z.discriminatedUnion("type", [
  ...workerEventSchema.options,
  auditOpened,
  auditRecovered,
  auditRotated,
  auditRetired,
  anchorFailed,
  anchorRestored,
  auditClosed,
]);

/** The types that this version knows. */
export const AUDIT_EVENT_TYPES: readonly AuditEventType[] = knownEventSchema.options.map((option) => option.shape.type.value);
export const KNOWN_TYPES: ReadonlySet<string> = new Set(AUDIT_EVENT_TYPES);

/** A shard was sealed. @useDeclaredType */
export type VramSealed = z.infer<typeof vramSealed>;
/** A live shard got a new seal by another key. @useDeclaredType */
export type VramResealed = z.infer<typeof vramResealed>;
/** A shard was verified wholly, from device memory. @useDeclaredType */
export type SealVerified = z.infer<typeof sealVerified>;
/** A verification failed: the worker stops, or did not seal. @useDeclaredType */
export type SealVerificationFailed = z.infer<typeof sealVerificationFailed>;
/** A part of a shard was verified. @useDeclaredType */
export type RangeVerified = z.infer<typeof rangeVerified>;
/** A scrub verified the last range of a shard. @useDeclaredType */
export type VramScrubbed = z.infer<typeof vramScrubbed>;
/** Damaged blocks of a shard were written again and the shard verified wholly. @useDeclaredType */
export type VramRepaired = z.infer<typeof vramRepaired>;
/** A damaged shard was not repaired. @useDeclaredType */
export type RepairRefused = z.infer<typeof repairRefused>;
/** A block was damaged again after its repair: the device takes no more shards. @useDeclaredType */
export type DeviceQuarantined = z.infer<typeof deviceQuarantined>;
/** A shard got no device memory, or could not be loaded. @useDeclaredType */
export type VramAllocationFailed = z.infer<typeof vramAllocationFailed>;
/** A shard's memory was freed; `wiped` says whether it was wiped and the wipe checked. @useDeclaredType */
export type VramDeallocated = z.infer<typeof vramDeallocated>;
/** The policy refused a device, a seal or a key. @useDeclaredType */
export type PolicyViolation = z.infer<typeof policyViolation>;
/** A worker was opened on a device. @useDeclaredType */
export type WorkerStarted = z.infer<typeof workerStarted>;
/** A worker stopped, or was closed. @useDeclaredType */
export type WorkerStopped = z.infer<typeof workerStopped>;
/** Another key signs from now on. @useDeclaredType */
export type KeyRotated = z.infer<typeof keyRotated>;
/** A key that no live shard is sealed with was closed. @useDeclaredType */
export type KeyRetired = z.infer<typeof keyRetired>;
/** The log was opened, and by which key it is signed. @useDeclaredType */
export type AuditOpened = z.infer<typeof auditOpened>;
/** The session before did not end in order. @useDeclaredType */
export type AuditRecovered = z.infer<typeof auditRecovered>;
/** The log goes on in a new file. @useDeclaredType */
export type AuditRotated = z.infer<typeof auditRotated>;
/** Old files are removed by retention. @useDeclaredType */
export type AuditRetired = z.infer<typeof auditRetired>;
/** An anchor did not keep a checkpoint. @useDeclaredType */
export type AnchorFailed = z.infer<typeof anchorFailed>;
/** An anchor keeps checkpoints again. @useDeclaredType */
export type AnchorRestored = z.infer<typeof anchorRestored>;
/** The log was closed in order. @useDeclaredType */
export type AuditClosed = z.infer<typeof auditClosed>;

/** What {@link AuditLog.append} takes. */
export type AuditEvent = z.infer<typeof workerEventSchema>;
/** What a line can hold. */
export type KnownEvent = z.infer<typeof knownEventSchema>;
/** The type of an event, as its line has it. @useDeclaredType */
export type AuditEventType = KnownEvent["type"];
/** What a closed segment held: its first and last line, its bytes and the SHA-256 of the file. */
export type SegmentFacts = z.infer<typeof segment>;
