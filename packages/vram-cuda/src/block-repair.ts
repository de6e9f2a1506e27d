import { invalidInput } from "./cuda-error.js";
import { assertBytes, assertInteger } from "./validate.js";

const BLOCK_BYTES = 4096;

/** A block to write anew. */
export interface BlockRepair {
  /** Its number, from 0. */
  readonly index: number;
  /** What the image has there: 4096 bytes, of the last block those up to the image's end. */
  readonly bytes: Uint8Array;
}

/** Copies of whole blocks, one after another, each padded with zeros. */
export interface PackedBlocks {
  readonly indices: readonly number[];
  readonly bytes: Uint8Array;
}

function assertBlock({ index, bytes }: BlockRepair, byteLength: number): void {
  assertInteger("index", index, 0);
  assertBytes("bytes", bytes);
  const length = Math.min(BLOCK_BYTES, byteLength - index * BLOCK_BYTES);
  if (length < 1) throw invalidInput("index", "be that of a block of the allocation");
  if (bytes.byteLength !== length) throw invalidInput("bytes", `be the ${length} bytes of the block`);
}

/** @throws CudaError `INVALID_INPUT` unless there are blocks, each within the image and of its length there. */
export function packBlocks(blocks: readonly BlockRepair[], byteLength: number): PackedBlocks {
  const given: unknown = blocks;
  if (!Array.isArray(given) || given.length === 0) throw invalidInput("blocks", "be an array of at least one block");
  const indices: number[] = [];
  const packed = new Uint8Array(blocks.length * BLOCK_BYTES);
  for (const { index, bytes } of blocks) {
    assertBlock({ index, bytes }, byteLength);
    packed.set(bytes, indices.length * BLOCK_BYTES);
    indices.push(index);
  }
  return { indices, bytes: packed };
}
