import { toVramError } from "../errors.js";

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

const REFUSALS = new Set(["SEAL_VERIFICATION_FAILED", "INTEGRITY_VIOLATION", "POLICY_VIOLATION"]);

/** Refusals of verification or policy, and configurations that are wrong, are told from every other failure. */
export function exitCodeOf(error: unknown): ExitCode {
  const { code } = toVramError(error);
  if (code === "INVALID_CONFIG") return EXIT.wrongUse;
  return REFUSALS.has(code) ? EXIT.refused : EXIT.failed;
}
