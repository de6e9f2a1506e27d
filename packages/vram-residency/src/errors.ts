import type { AuditErrorCode } from "vram-audit";
import type { CudaErrorCode } from "vram-cuda";
import type { PolicyErrorCode } from "vram-policy";
import type { SealErrorCode } from "vram-seal";
import { correlationId } from "./correlation.js";

/** What a caller can do about an error: try again later, stop, or correct the call. */
export type VramErrorKind = "retriable" | "fatal" | "caller";

/** Each code with its kind. `npm run docs:generate` makes the error catalogue of these comments. */
const KINDS = {
  /**
   * The device has less free memory than the model needs, or has it in pieces only.
   * Remedy: release a shard, use another device, or try again when others gave memory back.
   */
  INSUFFICIENT_VRAM: "retriable",
  /**
   * The driver did not reserve, make or map memory, for another reason than a shortage: "cuMemMap answered CUDA_ERROR_...".
   * Remedy: try again; if it stays, `details` names the call and its result, and the driver's log may say more.
   * See: docs/spec/outcomes.md
   */
  CUDA_ALLOCATION_FAILED: "retriable",
  /**
   * A key cannot be read, or what holds it gives no answer. Nothing was decided about any seal.
   * Remedy: mend what the reason names, and repeat the operation; a closed key needs a new residency or a rotation.
   * See: docs/guide/keys.md
   */
  KEY_UNAVAILABLE: "retriable",
  /**
   * The driver answered a call with an error, "cuLaunchKernel answered CUDA_ERROR_..." for one, or answered success and did not do it.
   * Remedy: `details` names the call and its result. Try again unless the worker stopped; if it stays, test the GPU.
   * See: docs/spec/outcomes.md
   */
  CUDA_FAILED: "fatal",
  /**
   * The device's context has ended: nothing on it can be read or wiped any more.
   * Remedy: end the process, look at the driver's log, and reset the GPU before it is used again.
   * See: docs/spec/outcomes.md
   */
  DEVICE_LOST: "fatal",
  /**
   * There is no usable NVIDIA driver here, or the addon does not load.
   * Remedy: `vram-residency doctor` says what is missing; in tests, and nowhere else, name the simulator.
   */
  DRIVER_UNAVAILABLE: "fatal",
  /**
   * A seal, an attestation, or the device memory that a seal vouches for is not what it must be. A worker stops.
   * Remedy: keep the evidence, and act on the incident that the reason stands for.
   * See: docs/guide/incidents.md#by-reason
   */
  SEAL_VERIFICATION_FAILED: "fatal",
  /**
   * Bytes are not those that were read, approved or signed. Nothing is sealed.
   * Remedy: compare the file with the approved one and get it anew; if the file is good, suspect the bus, the memory or the driver.
   * See: docs/guide/incidents.md
   */
  INTEGRITY_VIOLATION: "fatal",
  /**
   * The machine, its driver, a key or a seal is not what the policy asks for.
   * Remedy: `details.violations` and `vram-residency doctor` tell each rule with its remedy; correct the machine rather than the
   * policy.
   * See: docs/guide/policies.md
   */
  POLICY_VIOLATION: "fatal",
  /**
   * The audit log cannot be opened, read or written. A worker that cannot write it stops.
   * Remedy: mend what the reason names, verify the log, and open it again with a new worker.
   * See: docs/guide/audit.md
   */
  AUDIT_UNAVAILABLE: "fatal",
  /**
   * The worker was closed or has stopped, or met an error that nobody foresaw, which is then the `cause`.
   * Remedy: act on the error that stopped it, close the residency, and open a new one.
   */
  STOPPED: "fatal",
  /**
   * The shard was released, or is in a state that does not allow the operation.
   * Remedy: seal the model again.
   */
  NOT_SEALED: "caller",
  /**
   * An argument, or what it names, is not what it must be; the message and `details.argument` say which.
   * Remedy: correct the call.
   */
  INVALID_INPUT: "caller",
  /**
   * An option of opening, or a field of the configuration, is not what it must be; the message and `details.argument` say which.
   * Remedy: correct the configuration.
   */
  INVALID_CONFIG: "caller",
  /**
   * The caller's signal fired, and its reason is the `cause`. Nothing is left of the operation.
   * Remedy: repeat it if it is still wanted.
   */
  ABORTED: "caller",
} as const satisfies Record<string, VramErrorKind>;

/** What went wrong; docs/reference/errors.md says of each code what to do. @useDeclaredType */
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
    if (error.code === "INSUFFICIENT_VRAM") return shortage(error);
    return new VramError(LEAF_CODES[error.code], error.message, { details: error.details, cause: error });
  }
  return new VramError("STOPPED", "an unforeseen error; the worker stops", { cause: error });
}

function shortage(error: LeafError): VramError {
  const { message, details } = error;
  return new VramError("INSUFFICIENT_VRAM", message, { details: { ...details, reason: shortageReason(details) }, cause: error });
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
