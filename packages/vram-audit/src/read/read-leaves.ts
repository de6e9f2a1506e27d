import { HASH_BYTES } from "../tree/sha256.js";
import type { ReadableFile } from "./read-lines.js";

const CHUNK_BYTES = HASH_BYTES * 2048;

/** The leaf hashes of the lines behind `from`, up to `to`, in bounded memory. */
export async function* readLeaves(file: ReadableFile, from: number, to: number): AsyncGenerator<Buffer, undefined> {
  for await (const block of readLeafBlocks(file, from, to)) yield* block;
  return undefined;
}

/** The same, as many at a time as one read has found. */
export async function* readLeafBlocks(file: ReadableFile, from: number, to: number): AsyncGenerator<readonly Buffer[], undefined> {
  let position = from * HASH_BYTES;
  for (let left = to - from; left > 0; ) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, left * HASH_BYTES));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    const whole = Math.floor(bytesRead / HASH_BYTES);
    if (whole === 0) return undefined;
    yield Array.from({ length: whole }, (_, at) => chunk.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
    position += whole * HASH_BYTES;
    left -= whole;
  }
  return undefined;
}
