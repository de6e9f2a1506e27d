/** What went wrong, in the spelling of the facade's error codes. */
export type CudaErrorCode =
  | "INVALID_INPUT"
  | "DRIVER_UNAVAILABLE"
  | "INSUFFICIENT_VRAM"
  | "CUDA_ALLOCATION_FAILED"
  | "CUDA_FAILED"
  | "DEVICE_LOST"
  | "INTEGRITY_VIOLATION"
  | "ABORTED";

/**
 * Facts of an error. A driver's answer: `entryPoint`, `result`, `resultName`. A shortage: `neededBytes`, `availableBytes`
 * (null when the driver could not say). `reason` tells causes of one code apart. Never an address or a path.
 */
export type CudaErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** The only error this package throws or rejects with. */
export class CudaError extends Error {
  override readonly name = "CudaError";
  readonly code: CudaErrorCode;
  readonly details: CudaErrorDetails;

  constructor(code: CudaErrorCode, message: string, options: { readonly details?: CudaErrorDetails; readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = Object.freeze({ ...options.details });
  }
}

export function invalidInput(argument: string, expectation: string): CudaError {
  return new CudaError("INVALID_INPUT", `${argument} must ${expectation}`, { details: { argument } });
}
