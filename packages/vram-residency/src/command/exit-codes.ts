import { toVramError } from "../errors.js";
import type { VramErrorCode } from "../errors.js";

/** The exit codes of the command, as its help lists them. */
export const EXIT = {
  good: 0,
  failed: 1,
  wrongUse: 2,
  refused: 3,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Refusals of verification or policy, and configurations that are wrong, are told from every other failure. */
const ERROR_EXITS: Partial<Record<VramErrorCode, ExitCode>> = {
  SEAL_VERIFICATION_FAILED: EXIT.refused,
  INTEGRITY_VIOLATION: EXIT.refused,
  POLICY_VIOLATION: EXIT.refused,
  INVALID_CONFIG: EXIT.wrongUse,
};

export function exitCodeOf(error: unknown): ExitCode {
  return ERROR_EXITS[toVramError(error).code] ?? EXIT.failed;
}
