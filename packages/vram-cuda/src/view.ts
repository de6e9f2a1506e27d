import { invalidInput } from "./cuda-error.js";
import { assertInteger } from "./validate.js";

/**
 * An opaque object that native code of this process turns into a DLPack tensor with `vram_view.h`. It shows nothing to
 * JavaScript. The property is not there: it keeps other types from being taken for a view.
 */
export interface View {
  readonly "vram-cuda.View": never;
}

/** Element types by name: DLPack's type code and bits. */
const ELEMENT_TYPES = {
  bool: [6, 8],
  int8: [0, 8],
  int16: [0, 16],
  int32: [0, 32],
  int64: [0, 64],
  uint8: [1, 8],
  uint16: [1, 16],
  uint32: [1, 32],
  uint64: [1, 64],
  float16: [2, 16],
  float32: [2, 32],
  float64: [2, 64],
  bfloat16: [4, 16],
  complex64: [5, 64],
  float8_e4m3fn: [10, 8],
  float8_e5m2: [12, 8],
  float8_e8m0fnu: [14, 8],
} as const satisfies Record<string, readonly [code: number, bits: number]>;

/** The type of a tensor's elements. @useDeclaredType */
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A part of an image as a tensor. Offsets and lengths in bytes; the extents of `shape` in elements. */
export interface ViewRange {
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Default: "uint8". */
  readonly dtype?: ElementType;
  /** Default: one dimension of bytes. */
  readonly shape?: readonly number[];
}

export interface NativeViewType {
  readonly code: number;
  readonly bits: number;
  readonly shape: readonly number[];
}

/** @throws CudaError `INVALID_INPUT` for an element type that is not known or extents that are no integers. */
export function viewType({ byteLength, dtype = "uint8", shape = [byteLength] }: ViewRange): NativeViewType {
  if (!Object.hasOwn(ELEMENT_TYPES, dtype)) throw invalidInput("dtype", `be one of ${Object.keys(ELEMENT_TYPES).join(", ")}`);
  if (!Array.isArray(shape)) throw invalidInput("shape", "be an array of integers");
  for (const extent of shape as readonly unknown[]) assertInteger("shape", extent, 0);
  const [code, bits] = ELEMENT_TYPES[dtype];
  return { code, bits, shape };
}
