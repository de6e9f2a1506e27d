/** What went wrong, in the spelling of the facade's error codes. */
export type SealErrorCode = "INVALID_INPUT" | "SEAL_VERIFICATION_FAILED" | "INTEGRITY_VIOLATION" | "KEY_UNAVAILABLE" | "ABORTED";

/** Plain facts about a failure: never a key, a token, a presented byte or a path. */
export type SealErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** Facts of an error, and its cause. */
export interface SealErrorOptions extends ErrorOptions {
  readonly details?: SealErrorDetails;
}

/** The one error class of this package. `details` is frozen. */
export class SealError extends Error {
  readonly code: SealErrorCode;
  readonly details: SealErrorDetails;

  constructor(code: SealErrorCode, message: string, options: SealErrorOptions = {}) {
    const { details = {}, ...errorOptions } = options;
    super(message, errorOptions);
    this.name = "SealError";
    this.code = code;
    this.details = Object.freeze({ ...details });
  }
}

/** The error for a bad argument: "`argument` must `expectation`". Both are static text or validated names. */
export function invalidInput(argument: string, expectation: string, details: SealErrorDetails = {}): SealError {
  return new SealError("INVALID_INPUT", `${argument} must ${expectation}`, { details: { argument, ...details } });
}
