import { VramError } from "./errors.js";
import { sealVerificationFailed } from "./events.js";
import type { VerificationFailure } from "./events.js";
import type { Worker } from "./worker.js";

/** Stops the worker because of a failed verification and writes that; answers the error to throw. */
export function refuse(worker: Worker, failure: VerificationFailure, cause?: unknown): Promise<VramError> {
  return worker.stop(refusal(failure, cause), sealVerificationFailed(failure));
}

export function refusal(failure: VerificationFailure & { readonly repaired?: boolean }, cause?: unknown): VramError {
  const outcome = failure.repaired === true ? "; the shard was repaired" : "";
  return new VramError("SEAL_VERIFICATION_FAILED", `seal verification failed: ${failure.reason}${outcome}`, {
    details: { ...failure },
    ...(cause === undefined ? {} : { cause }),
  });
}
