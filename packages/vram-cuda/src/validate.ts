import { invalidInput } from "./cuda-error.js";

const MAX_FD = 2 ** 31 - 1;

/** @throws CudaError `INVALID_INPUT` unless `value` is an integer from `least` to 2^53 - 1. */
export function assertInteger(argument: string, value: unknown, least: 0 | 1): asserts value is number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return;
  throw invalidInput(argument, `be an integer from ${least} to 2^53 - 1`);
}

/** @throws CudaError `INVALID_INPUT` unless [offset, offset + length) lies within [0, byteLength]. */
export function assertRange(argument: string, range: { readonly offset: number; readonly length: number }, byteLength: number): void {
  assertInteger("offset", range.offset, 0);
  assertInteger("length", range.length, 0);
  if (range.offset <= byteLength && range.length <= byteLength - range.offset) return;
  throw invalidInput(argument, "end within the byteLength of the allocation");
}

/** @throws CudaError `INVALID_INPUT` unless `value` is a multiple of 16 below 4096. */
export function assertLead(value: unknown): asserts value is number {
  if (typeof value === "number" && Number.isInteger(value / 16) && value >= 0 && value < 4096) return;
  throw invalidInput("leadBytes", "be a multiple of 16 below 4096");
}

/** @throws CudaError `INVALID_INPUT` unless `value` can be a file descriptor. */
export function assertFileDescriptor(value: unknown): asserts value is number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_FD) return;
  throw invalidInput("fd", "be a file descriptor");
}

/** @throws CudaError `INVALID_INPUT` unless `value` is a boolean. */
export function assertBoolean(argument: string, value: unknown): asserts value is boolean {
  if (typeof value !== "boolean") throw invalidInput(argument, "be a boolean");
}

/** @throws CudaError `INVALID_INPUT` unless `value` names a kind of staging. */
export function assertStaging(value: unknown): asserts value is "pageable" | "pinned" {
  if (value !== "pageable" && value !== "pinned") throw invalidInput("staging", 'be "pageable" or "pinned"');
}

/** @throws CudaError `INVALID_INPUT` unless `value` is a digest as `Allocation.digest` gives it. */
export function assertDigest(argument: string, value: unknown): asserts value is string {
  if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) return;
  throw invalidInput(argument, "be 64 lower-case hexadecimal digits");
}

/** @throws CudaError `INVALID_INPUT` unless `value` is a Uint8Array. */
export function assertBytes(argument: string, value: unknown): asserts value is Uint8Array {
  if (value instanceof Uint8Array) return;
  throw invalidInput(argument, "be a Uint8Array");
}

/** @throws CudaError `INVALID_INPUT` unless `value` is an absolute path without NUL. */
export function assertLibraryPath(value: unknown): asserts value is string {
  if (typeof value === "string" && value.startsWith("/") && !value.includes("\0")) return;
  throw invalidInput("libraryPath", "be an absolute path");
}

/** `byteLength` rounded up to a multiple of `unit`. @throws CudaError `INVALID_INPUT` beyond 2^53 - 1. */
export function roundUp(byteLength: number, unit: number): number {
  assertInteger("byteLength", byteLength, 1);
  const rounded = BigInt(unit) * ((BigInt(byteLength) + BigInt(unit) - 1n) / BigInt(unit));
  if (rounded > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidInput("byteLength", "round up to at most 2^53 - 1");
  return Number(rounded);
}
