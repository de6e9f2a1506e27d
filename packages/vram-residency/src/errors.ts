import type { AuditErrorCode } from "vram-audit";
import type { CudaErrorCode } from "vram-cuda";
import type { PolicyErrorCode } from "vram-policy";
import type { SealErrorCode } from "vram-seal";
import { correlationId } from "./correlation.js";

/** What a caller can do about an error: try again later, stop, or correct the call. */
export type VramErrorKind = "retriable" | "fatal" | "caller";

const KINDS = {
  INSUFFICIENT_VRAM: "retriable",
  CUDA_ALLOCATION_FAILED: "retriable",
  KEY_UNAVAILABLE: "retriable",
  CUDA_FAILED: "fatal",
  DEVICE_LOST: "fatal",
  DRIVER_UNAVAILABLE: "fatal",
  SEAL_VERIFICATION_FAILED: "fatal",
  INTEGRITY_VIOLATION: "fatal",
  POLICY_VIOLATION: "fatal",
  AUDIT_UNAVAILABLE: "fatal",
  STOPPED: "fatal",
  NOT_SEALED: "caller",
  INVALID_INPUT: "caller",
  INVALID_CONFIG: "caller",
  ABORTED: "caller",
} as const satisfies Record<string, VramErrorKind>;

export type VramErrorCode = keyof typeof KINDS;

export const VRAM_ERROR_CODES = Object.keys(KINDS) as readonly VramErrorCode[];

/** Plain data about an error: numbers, digests, rule ids and validated names, never an address, key, path or weight byte. */
export type VramErrorDetails = Readonly<Record<string, unknown>>;

/** The only error that operations of this package end in (an error of the caller's own `fn` in `execute` passes through). */
export class VramError extends Error {
  override readonly name = "VramError";
  readonly code: VramErrorCode;
  readonly kind: VramErrorKind;
  readonly details: VramErrorDetails;
  /** The operation that made it, whose events carry the same id; undefined for one that did not begin. */
  readonly correlationId: string | undefined = correlationId();

  constructor(code: VramErrorCode, message: string, options: { details?: VramErrorDetails; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.kind = KINDS[code];
    this.details = Object.freeze({ ...options.details });
  }
}

type LeafErrorCode = AuditErrorCode | CudaErrorCode | PolicyErrorCode | SealErrorCode;

/** Leaf packages spell their codes as this one does; the compiler checks that none is unknown here. */
const LEAF_CODES: Record<LeafErrorCode, VramErrorCode> = {
  ABORTED: "ABORTED",
  AUDIT_UNAVAILABLE: "AUDIT_UNAVAILABLE",
  CUDA_ALLOCATION_FAILED: "CUDA_ALLOCATION_FAILED",
  CUDA_FAILED: "CUDA_FAILED",
  DEVICE_LOST: "DEVICE_LOST",
  DRIVER_UNAVAILABLE: "DRIVER_UNAVAILABLE",
  INSUFFICIENT_VRAM: "INSUFFICIENT_VRAM",
  INTEGRITY_VIOLATION: "INTEGRITY_VIOLATION",
  INVALID_CONFIG: "INVALID_CONFIG",
  INVALID_INPUT: "INVALID_INPUT",
  KEY_UNAVAILABLE: "KEY_UNAVAILABLE",
  POLICY_VIOLATION: "POLICY_VIOLATION",
  SEAL_VERIFICATION_FAILED: "SEAL_VERIFICATION_FAILED",
};

const LEAF_NAMES = new Set(["AuditError", "CudaError", "PolicyError", "SealError"]);

interface LeafError extends Error {
  readonly code: LeafErrorCode;
  readonly details: VramErrorDetails;
}

/** By shape, not by class: a leaf may be loaded twice in one process, as an ES module and as CommonJS. */
function isLeafError(error: unknown): error is LeafError {
  return (
    error instanceof Error &&
    LEAF_NAMES.has(error.name) &&
    "code" in error &&
    typeof error.code === "string" &&
    Object.hasOwn(LEAF_CODES, error.code)
  );
}

/** The code of an error of these packages, by shape likewise; undefined for every other error, as what a caller's function threw. */
export function errorCodeOf(error: unknown): VramErrorCode | undefined {
  if (isLeafError(error)) return LEAF_CODES[error.code];
  const isOurs = error instanceof Error && error.name === "VramError" && "code" in error;
  return isOurs ? VRAM_ERROR_CODES.find((code) => code === error.code) : undefined;
}

/** Turns whatever an operation met into a `VramError`. What nobody foresaw is `STOPPED`: in doubt, the worker stops. */
export function toVramError(error: unknown): VramError {
  if (error instanceof VramError) return error;
  if (isLeafError(error)) {
    const details = error.code === "INSUFFICIENT_VRAM" ? { ...error.details, reason: shortageReason(error.details) } : error.details;
    return new VramError(LEAF_CODES[error.code], error.message, { details, cause: error });
  }
  return new VramError("STOPPED", "an unforeseen error; the worker stops", { cause: error });
}

/** Memory that was refused although as much is free lies in pieces: others must give theirs back, or the device be emptied. */
function shortageReason({ neededBytes, availableBytes }: VramErrorDetails): "fragmentation" | "shortage" {
  const fits = typeof neededBytes === "number" && typeof availableBytes === "number" && neededBytes <= availableBytes;
  return fits ? "fragmentation" : "shortage";
}

export function invalidInput(argument: string, expectation: string, cause?: unknown): VramError {
  return invalid("INVALID_INPUT", argument, { expectation, cause });
}

/** @param field of the configuration */
export function invalidConfig(field: string, expectation: string, cause?: unknown): VramError {
  return invalid("INVALID_CONFIG", field, { expectation, cause });
}

function invalid(code: VramErrorCode, argument: string, { expectation, cause }: { readonly expectation: string; readonly cause: unknown }): VramError {
  return new VramError(code, `${argument} must ${expectation}`, { details: { argument }, ...(cause === undefined ? {} : { cause }) });
}

export function aborted(cause?: unknown): VramError {
  return new VramError("ABORTED", "aborted by the caller", cause === undefined ? {} : { cause });
}

/** @throws VramError `ABORTED` with the signal's reason. */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason);
}
