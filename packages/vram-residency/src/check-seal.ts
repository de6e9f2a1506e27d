import { assertSealAge, verifySeal } from "vram-seal";
import type { SealStatement } from "vram-seal";
import { toVramError } from "./errors.js";
import type { VramError } from "./errors.js";
import type { VerificationFailure } from "./events.js";
import { refuse } from "./refusal.js";
import type { Worker } from "./worker.js";

/**
 * Checks shape, MAC, statement and instance of a seal, which may be anything, and answers its statement.
 * @param shardId the shard that it is the seal of, or null where that is not known yet
 * @throws VramError `SEAL_VERIFICATION_FAILED`, and the worker is stopped; `KEY_UNAVAILABLE`
 */
export async function checkSeal(worker: Worker, seal: unknown, shardId: string | null): Promise<SealStatement> {
  const { instanceId } = worker.parts;
  try {
    return await verifySeal(seal, { key: worker.keys.all(), instanceId });
  } catch (error) {
    const failure = toVramError(error);
    if (failure.code !== "SEAL_VERIFICATION_FAILED") throw failure;
    throw await refuse(worker, { shardId, reason: sealReason(failure) }, error);
  }
}

function sealReason({ details }: VramError): VerificationFailure["reason"] {
  const reason = details["reason"];
  return reason === "mac" || reason === "statement" || reason === "instance" ? reason : "shape";
}

/** @throws VramError `SEAL_VERIFICATION_FAILED` for a seal older than the policy allows, and the worker is stopped */
export async function checkAge(worker: Worker, shardId: string, statement: SealStatement): Promise<void> {
  const { maxSealAgeMs } = worker.parts.policy;
  if (maxSealAgeMs === null) return;
  try {
    assertSealAge(statement, { maxAgeMs: maxSealAgeMs, nowMs: Date.now() });
  } catch (error) {
    throw await refuse(worker, { shardId, reason: "age" }, error);
  }
}
