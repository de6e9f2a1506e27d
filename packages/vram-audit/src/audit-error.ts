/** What went wrong, in the spelling of the facade's error codes. */
export type AuditErrorCode = "AUDIT_UNAVAILABLE" | "INTEGRITY_VIOLATION" | "INVALID_INPUT";

/** Plain facts about a failure: bare file names, error numbers, line numbers; never event text or a path. */
export type AuditErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** Facts of an error, and its cause. */
export interface AuditErrorOptions extends ErrorOptions {
  readonly details?: AuditErrorDetails;
}

/** The one error class of this package. `details` is frozen. */
export class AuditError extends Error {
  readonly code: AuditErrorCode;
  readonly details: AuditErrorDetails;

  constructor(code: AuditErrorCode, message: string, options: AuditErrorOptions = {}) {
    const { details = {}, ...errorOptions } = options;
    super(message, errorOptions);
    this.name = "AuditError";
    this.code = code;
    this.details = Object.freeze({ ...details });
  }
}

/** The error for a bad argument: "`argument` must `expectation`". Both are static text or validated names. */
export function invalidInput(argument: string, expectation: string, details: AuditErrorDetails = {}): AuditError {
  return new AuditError("INVALID_INPUT", `${argument} must ${expectation}`, { details: { argument, ...details } });
}

/** The error for a trail that cannot be written or read. `reason` is a word for programs, `message` one for people. */
export function unavailable(reason: string, message: string, details: AuditErrorDetails = {}): AuditError {
  return new AuditError("AUDIT_UNAVAILABLE", message, { details: { reason, ...details } });
}

/** The error for a proof that shows nothing, or a signature that is not the log's. `reason` is a word for programs, `message` one for people. */
export function integrityViolation(reason: string, message: string, details: AuditErrorDetails = {}): AuditError {
  return new AuditError("INTEGRITY_VIOLATION", message, { details: { reason, ...details } });
}

/** A file system error as ours, without its cause: Node's message holds the full path. */
export function fileUnavailable(file: string, verb: "opened" | "read" | "written", error: unknown): AuditError {
  if (error instanceof AuditError) return error;
  const errno = errnoOf(error);
  const message = `the audit file "${file}" cannot be ${verb} (${errno})`;
  // Only what is no system error, and so names no path, is attached.
  const options = errno === UNKNOWN ? { cause: error } : {};
  return new AuditError("AUDIT_UNAVAILABLE", message, { details: { reason: "file", file, errno }, ...options });
}

const UNKNOWN = "UNKNOWN";

/** The symbolic error number of a system error, or `UNKNOWN`. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : UNKNOWN;
}
