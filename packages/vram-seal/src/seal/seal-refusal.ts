import { SealError } from "../seal-error.js";

/** The step that refused a seal. */
export type SealRefusal = "shape" | "mac" | "statement" | "instance" | "age";

export function refused(reason: SealRefusal, message: string): SealError {
  return new SealError("SEAL_VERIFICATION_FAILED", message, { details: { reason } });
}
