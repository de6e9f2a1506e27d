import type { ElementType, ViewRange } from "vram-cuda";
import type { ImageTensor, ModelHeader } from "./model/header.js";

/** One tensor inside a sealed image. `byteOffset` and `byteLength` in bytes from the start of the image. */
export interface TensorView extends ImageTensor {
  /** As the file's format spells it, "F32" or "Q4_K". */
  readonly dtype: string;
  /** Extents in elements, slowest dimension first. */
  readonly shape: readonly number[];
  /** Largest power of two, up to 256, that divides the tensor's place in device memory. */
  readonly alignment: number;
}

const LARGEST_ALIGNMENT = 256;
/** The digest kernel reads 16 bytes at a time, so an image starts on a multiple of this. */
const IMAGE_ALIGNMENT = 16;

/** Bytes to leave before an image, whose mapping starts on a large boundary, so that its tensor data starts on one of 256. */
export function leadBytesOf({ dataOffset }: Pick<ModelHeader, "dataOffset">): number {
  if (dataOffset % IMAGE_ALIGNMENT !== 0) return 0;
  return (LARGEST_ALIGNMENT - (dataOffset % LARGEST_ALIGNMENT)) % LARGEST_ALIGNMENT;
}

/** Largest power of two, up to 256, that divides `position`. */
export function alignmentOf(position: number): number {
  let alignment = LARGEST_ALIGNMENT;
  while (position % alignment !== 0) alignment /= 2;
  return alignment;
}

export function tensorViews(header: ModelHeader, leadBytes: number): ReadonlyMap<string, TensorView> {
  return new Map(
    [...header.tensors].map(([name, tensor]) => [
      name,
      Object.freeze({ ...tensor, shape: Object.freeze([...tensor.shape]), alignment: alignmentOf(leadBytes + tensor.byteOffset) }),
    ]),
  );
}

/** File types that DLPack has; of others the view is the bytes. */
const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map([
  ["BOOL", "bool"],
  ["I8", "int8"],
  ["I16", "int16"],
  ["I32", "int32"],
  ["I64", "int64"],
  ["U8", "uint8"],
  ["U16", "uint16"],
  ["U32", "uint32"],
  ["U64", "uint64"],
  ["F16", "float16"],
  ["F32", "float32"],
  ["F64", "float64"],
  ["BF16", "bfloat16"],
  ["C64", "complex64"],
  ["F8_E4M3", "float8_e4m3fn"],
  ["F8_E5M2", "float8_e5m2"],
  ["F8_E8M0", "float8_e8m0fnu"],
]);

export function viewRange({ dtype, shape, byteOffset, byteLength }: TensorView): ViewRange {
  const elementType = ELEMENT_TYPES.get(dtype);
  return elementType === undefined ? { byteOffset, byteLength } : { byteOffset, byteLength, dtype: elementType, shape };
}
