import type { AuditEvent } from "vram-audit";
import { setDigest } from "vram-seal";
import { VramError, toVramError } from "./errors.js";
import { allocationFailed, sealVerificationFailed } from "./events.js";
import type { VerificationFailure } from "./events.js";
import type { Worker } from "./worker.js";

export function mismatch(failure: Omit<VerificationFailure, "shardId">): VramError {
  return new VramError("INTEGRITY_VIOLATION", `the loaded bytes are not the ${failure.reason === "expect" ? "expected" : "source's"} ones`, {
    details: { ...failure },
  });
}

/** Writes the event that the outcome table gives for a failed seal, and stops the worker where it says so. */
export async function explainSealFailure(worker: Worker, shardId: string, error: unknown): Promise<VramError> {
  const failure = toVramError(error);
  const { code } = failure;
  if (code === "INTEGRITY_VIOLATION") {
    return recorded(worker, failure, sealVerificationFailed(integrityFailure(shardId, failure)));
  }
  if (code === "INSUFFICIENT_VRAM" || code === "CUDA_ALLOCATION_FAILED" || code === "CUDA_FAILED") {
    return recorded(worker, failure, allocationFailed(shardId, failure));
  }
  return code === "DEVICE_LOST" || code === "STOPPED" ? worker.stop(failure) : failure;
}

/** @throws VramError `INTEGRITY_VIOLATION`, audited, if the digests are not those of the set that was approved */
export async function assertSetDigest(worker: Worker, expectedDigest: string | undefined, digests: readonly string[]): Promise<void> {
  if (expectedDigest === undefined) return;
  const actualDigest = setDigest(digests);
  if (actualDigest === expectedDigest) return;
  const failure = { reason: "expect", expectedDigest, actualDigest } as const;
  throw await recorded(worker, mismatch(failure), sealVerificationFailed({ shardId: null, ...failure }));
}

async function recorded(worker: Worker, failure: VramError, event: AuditEvent): Promise<VramError> {
  try {
    await worker.record(event);
    return failure;
  } catch (cause) {
    return new VramError(failure.code, failure.message, { details: failure.details, cause });
  }
}

function integrityFailure(shardId: string, { details }: VramError): VerificationFailure {
  const { reason, expectedDigest, actualDigest } = details;
  return {
    shardId,
    reason: reason === "load" || reason === "expect" ? reason : "digest",
    ...(typeof expectedDigest === "string" ? { expectedDigest } : {}),
    ...(typeof actualDigest === "string" ? { actualDigest } : {}),
  };
}
