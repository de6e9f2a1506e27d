import { HASH_BYTES } from "../tree/sha256.js";
import type { ReadableFile } from "./read-lines.js";

const CHUNK_BYTES = HASH_BYTES * 2048;

/** The first leaf hashes of a file, at most `most`, in bounded memory. */
export async function* readLeaves(file: ReadableFile, most: number): AsyncGenerator<Buffer, undefined> {
  let position = 0;
  for (let left = most; left > 0; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, left * HASH_BYTES));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    const whole = Math.floor(bytesRead / HASH_BYTES);
    if (whole === 0) return undefined;
    for (let at = 0; at < whole; at += 1) yield chunk.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
    position += whole * HASH_BYTES;
    left -= whole;
  }
  return undefined;
}
