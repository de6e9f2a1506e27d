import { SealError } from "../seal-error.js";

/** The step that refused a seal; `set` refuses seals that are not one whole set. */
export type SealRefusal = "shape" | "mac" | "statement" | "instance" | "age" | "set";

export function refused(reason: SealRefusal, message: string): SealError {
  return new SealError("SEAL_VERIFICATION_FAILED", message, { details: { reason } });
}
