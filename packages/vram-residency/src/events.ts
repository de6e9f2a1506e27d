import type { AuditEvent, RangeVerified, RepairRefused, SealVerificationFailed, VramScrubbed } from "vram-audit";
import type { DeviceFacts, DriverFacts, ReleaseReport } from "vram-cuda";
import type { PolicyReport } from "vram-policy";
import type { SealKey, SealStatement } from "vram-seal";
import type { DamageReport } from "./damage.js";
import type { VramError } from "./errors.js";
import type { HeldMemory, LiveShard } from "./registry.js";

/** Why a seal, or bytes that were to be sealed, were refused. */
export interface VerificationFailure {
  readonly shardId: string | null;
  readonly reason: SealVerificationFailed["data"]["reason"];
  readonly expectedDigest?: string;
  readonly actualDigest?: string;
  readonly rules?: readonly string[];
  readonly damage?: DamageReport;
}

interface WorkerFacts {
  readonly workerId: string;
  readonly instanceId: string;
}

interface StartFacts extends WorkerFacts {
  readonly driverFacts: DriverFacts;
  readonly device: { readonly facts: DeviceFacts; readonly kernelSha256: string };
  readonly sealKey: SealKey;
}

export function workerStarted(worker: StartFacts, policy: PolicyReport): AuditEvent {
  const { workerId, instanceId, driverFacts, device, sealKey } = worker;
  return {
    type: "vram.worker.started",
    severity: "info",
    data: {
      workerId,
      instanceId,
      backend: driverFacts.backend,
      gpuDevice: device.facts.ordinal,
      gpuUuid: device.facts.uuid,
      gpuName: device.facts.name,
      driverVersion: driverFacts.driverVersion,
      librarySha256: driverFacts.librarySha256,
      kernel: device.kernelSha256,
      keyId: sealKey.keyId,
      keyLocked: sealKey.locked,
      policy: policy.rules.map(({ rule, verdict }) => ({ rule, verdict })),
    },
  };
}

export function workerStopped(
  { workerId, instanceId }: WorkerFacts,
  state: "stopped" | "closed",
  code: VramError["code"] | null,
): AuditEvent {
  return {
    type: "vram.worker.stopped",
    severity: code === null ? "info" : "critical",
    data: { workerId, instanceId, state, code },
  };
}

export function policyViolated(stage: "open" | "seal" | "rotate", shardId: string | null, report: PolicyReport): AuditEvent {
  return {
    type: "vram.policy.violation",
    severity: "critical",
    data: { stage, shardId, violations: report.violations.map(({ rule, reason }) => ({ rule, reason })) },
  };
}

export function shardSealed(statement: SealStatement): AuditEvent {
  const { shardId, modelRef, vramBytes, digest, gpuDevice, gpuUuid, backend, kernel } = statement;
  const { keyId, keyLocked, sealSequence, placement, expected } = statement;
  return {
    type: "vram.shard.sealed",
    severity: "info",
    data: {
      shardId,
      modelRef,
      vramBytes,
      digest,
      gpuDevice,
      gpuUuid,
      backend,
      kernel,
      keyId,
      keyLocked,
      sealSequence,
      placement,
      expected,
    },
  };
}

export function shardResealed(statement: SealStatement, before: SealStatement): AuditEvent {
  const { shardId, digest, keyId, keyLocked, sealSequence } = statement;
  return {
    type: "vram.shard.resealed",
    severity: "info",
    data: { shardId, digest, keyId, keyLocked, sealSequence, previousKeyId: before.keyId, previousSealSequence: before.sealSequence },
  };
}

export function keyRotated({ keyId, locked }: SealKey, previousKeyId: string): AuditEvent {
  return { type: "vram.key.rotated", severity: "info", data: { keyId, keyLocked: locked, previousKeyId } };
}

export function keyRetired(keyId: string): AuditEvent {
  return { type: "vram.key.retired", severity: "info", data: { keyId } };
}

export function sealVerified(report: {
  readonly shardId: string;
  readonly digest: string;
  readonly vramBytes: number;
  readonly durationMs: number;
}): AuditEvent {
  const { shardId, digest, vramBytes, durationMs } = report;
  return {
    type: "vram.shard.verified",
    severity: "info",
    data: { shardId, digest, vramBytes, durationMs },
  };
}

export function sealVerificationFailed(failure: VerificationFailure): AuditEvent {
  const { shardId, reason, expectedDigest = null, actualDigest = null, rules = [], damage } = failure;
  return {
    type: "vram.seal.verification_failed",
    severity: "critical",
    data: { shardId, reason, expectedDigest, actualDigest, rules: [...rules], ...(damage !== undefined && { damage }) },
  };
}

export function rangeVerified({ shardId, digest, byteOffset, byteLength, durationMs }: RangeVerified["data"]): AuditEvent {
  return { type: "vram.range.verified", severity: "info", data: { shardId, digest, byteOffset, byteLength, durationMs } };
}

export function shardScrubbed({ shardId, digest, vramBytes }: SealStatement, pass: Pick<VramScrubbed["data"], "ranges" | "durationMs">): AuditEvent {
  return { type: "vram.shard.scrubbed", severity: "info", data: { shardId, digest, vramBytes, ...pass } };
}

export function shardRepaired({ shardId, statement: { digest } }: LiveShard, blocks: number): AuditEvent {
  return { type: "vram.shard.repaired", severity: "critical", data: { shardId, digest, blocks } };
}

export function repairRefused(shardId: string, reason: RepairRefused["data"]["reason"]): AuditEvent {
  return { type: "vram.shard.repair_refused", severity: "critical", data: { shardId, reason } };
}

export function deviceQuarantined({ gpuDevice, gpuUuid, shardId }: SealStatement, block: number): AuditEvent {
  return { type: "vram.device.quarantined", severity: "critical", data: { gpuDevice, gpuUuid, shardId, block } };
}

export function allocationFailed(shardId: string, error: VramError): AuditEvent {
  const number = (key: string): number | null => {
    const value = error.details[key];
    return typeof value === "number" ? value : null;
  };
  const entryPoint = error.details["entryPoint"];
  return {
    type: "vram.allocation.failed",
    severity: "warning",
    data: {
      shardId,
      code: error.code,
      neededBytes: number("neededBytes"),
      availableBytes: number("availableBytes"),
      entryPoint: typeof entryPoint === "string" ? entryPoint : null,
      result: number("result"),
    },
  };
}

export function shardDeallocated(
  { shardId, allocation }: HeldMemory,
  { wiped, lost }: ReleaseReport,
  cause: "released" | "undone" | "closed",
): AuditEvent {
  return {
    type: "vram.shard.deallocated",
    severity: wiped ? "info" : "critical",
    data: {
      shardId,
      vramBytes: allocation.byteLength,
      allocatedBytes: allocation.allocatedBytes,
      wiped,
      lost,
      cause,
    },
  };
}
