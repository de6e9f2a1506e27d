import type { RuleResult } from "./report.js";

/** What went wrong, in the spelling of the facade's error codes. */
export type PolicyErrorCode = "INVALID_CONFIG" | "INVALID_INPUT" | "INSUFFICIENT_VRAM" | "POLICY_VIOLATION";

/** Plain facts about a failure: argument names, byte counts, violated rules. */
export type PolicyErrorDetails = Readonly<Record<string, string | number | readonly RuleResult[]>>;

/** The one error class of this package. `details` is frozen. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly code: PolicyErrorCode;
  readonly details: PolicyErrorDetails;

  constructor(code: PolicyErrorCode, message: string, details: PolicyErrorDetails) {
    super(message);
    this.code = code;
    this.details = Object.freeze({ ...details });
  }
}

export function invalidInput(argument: string, expectation: string): PolicyError {
  return new PolicyError("INVALID_INPUT", `${argument} must ${expectation}`, { argument });
}

export function invalidConfig(option: string, expectation: string): PolicyError {
  return new PolicyError("INVALID_CONFIG", `policy.${option} must ${expectation}`, { argument: `policy.${option}` });
}
