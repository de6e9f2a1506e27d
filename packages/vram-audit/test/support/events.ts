import type { AuditEvent, PolicyViolation, SealVerified, VramAllocationFailed, VramDeallocated, VramSealed } from "../../src/index.js";

export const DIGEST = "ab".repeat(32);
const INSTANCE = "cd".repeat(16);
const KEY_ID = "0123456789abcdef";

export function sealed(shardId: string): VramSealed {
  return {
    type: "vram.shard.sealed",
    severity: "info",
    data: {
      shardId,
      modelRef: "hf:org/modèle@rev",
      vramBytes: 4096,
      digest: DIGEST,
      gpuDevice: 0,
      gpuUuid: "GPU-00000000-0000-0000-0000-000000000001",
      backend: "cuda",
      kernel: DIGEST,
      keyId: KEY_ID,
      keyLocked: false,
      sealSequence: 1,
      placement: { bufferId: "17", blockId: "18446744073709551615", access: "read" },
      expected: { sha256: DIGEST },
    },
  };
}

export function verified(shardId: string, durationMs = 1.5): SealVerified {
  return { type: "vram.shard.verified", severity: "info", data: { shardId, digest: DIGEST, vramBytes: 4096, durationMs } };
}

export function deallocated(shardId: string, outcome: { readonly wiped: boolean }): VramDeallocated {
  return {
    type: "vram.shard.deallocated",
    severity: outcome.wiped ? "info" : "critical",
    data: { shardId, vramBytes: 4096, allocatedBytes: 2_097_152, wiped: outcome.wiped, lost: !outcome.wiped, cause: "released" },
  };
}

export function violated(): PolicyViolation {
  return {
    type: "vram.policy.violation",
    severity: "critical",
    data: { stage: "open", shardId: null, violations: [{ rule: "backend", reason: 'the backend is "custom"' }] },
  };
}

export function allocationFailed(): VramAllocationFailed {
  return {
    type: "vram.allocation.failed",
    severity: "warning",
    data: { shardId: "shard-0", code: "INSUFFICIENT_VRAM", neededBytes: 2 ** 40, availableBytes: 0, entryPoint: "cuMemCreate", result: 2 },
  };
}

/** One well-formed event of every type a worker may append. */
export const EVENTS: readonly AuditEvent[] = [
  sealed("shard-0"),
  { type: "vram.key.rotated", severity: "info", data: { keyId: "fedcba9876543210", keyLocked: true, previousKeyId: "0123456789abcdef" } },
  {
    type: "vram.shard.resealed",
    severity: "info",
    data: {
      ...{ shardId: "shard-0", digest: DIGEST, keyId: "fedcba9876543210", keyLocked: true, sealSequence: 2 },
      ...{ previousKeyId: "0123456789abcdef", previousSealSequence: 1 },
    },
  },
  { type: "vram.key.retired", severity: "info", data: { keyId: "0123456789abcdef" } },
  verified("shard-0"),
  {
    type: "vram.seal.verification_failed",
    severity: "critical",
    data: { shardId: "shard-0", reason: "digest", expectedDigest: DIGEST, actualDigest: null, rules: ["memory-type"] },
  },
  {
    type: "vram.seal.verification_failed",
    severity: "critical",
    data: {
      ...{ shardId: "shard-0", reason: "digest", expectedDigest: DIGEST, actualDigest: DIGEST, rules: [] },
      damage: { blockCount: 2, blocks: [{ index: 0, singleBit: true, tensors: ["model.embed_tokens.weight"] }, { index: 7, singleBit: null, tensors: [] }] },
    },
  },
  { type: "vram.range.verified", severity: "info", data: { shardId: "shard-0", digest: DIGEST, byteOffset: 0, byteLength: 100, durationMs: 0.5 } },
  { type: "vram.shard.scrubbed", severity: "info", data: { shardId: "shard-0", digest: DIGEST, vramBytes: 4096, ranges: 1, durationMs: 60_000.5 } },
  { type: "vram.shard.repaired", severity: "critical", data: { shardId: "shard-0", digest: DIGEST, blocks: 2 } },
  { type: "vram.shard.repair_refused", severity: "critical", data: { shardId: "shard-0", reason: "source" } },
  {
    type: "vram.device.quarantined",
    severity: "critical",
    data: { gpuDevice: 0, gpuUuid: "GPU-00000000-0000-0000-0000-000000000001", shardId: "shard-0", block: 7 },
  },
  allocationFailed(),
  deallocated("shard-0", { wiped: true }),
  violated(),
  {
    type: "vram.worker.started",
    severity: "info",
    data: {
      workerId: "wörker 7",
      instanceId: INSTANCE,
      backend: "simulator",
      gpuDevice: 0,
      gpuUuid: "GPU-00000000-0000-0000-0000-000000000001",
      gpuName: "Simulated",
      driverVersion: "12.4",
      librarySha256: DIGEST,
      kernel: DIGEST,
      keyId: KEY_ID,
      keyLocked: true,
      policy: [{ rule: "backend", verdict: "pass" }],
    },
  },
  { type: "vram.worker.stopped", severity: "critical", data: { workerId: "wörker 7", instanceId: INSTANCE, state: "stopped", code: "DEVICE_LOST" } },
];
