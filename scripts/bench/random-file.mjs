// Pseudo-random bytes of a seed, in memory and in a file.
import { createCipheriv, createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { FsverityHasher } from "vram-seal";

const CHUNK_BYTES = 2 ** 28;
const PIECE_BYTES = 2 ** 20;

/** The same bytes for the same seed, in chunks of at most 256 MiB. */
export function* randomChunks(byteLength, seed) {
  const key = createHash("sha256").update(`vram-bench ${seed}`).digest();
  const stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(Math.min(CHUNK_BYTES, byteLength));
  for (let done = 0; done < byteLength; done += CHUNK_BYTES) yield stream.update(zeros.subarray(0, byteLength - done));
}

/** Hashes chunks as somebody does who has them in memory. */
export function sha256Of(chunks) {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** Writes the file through to its disk, so that nothing is written while others are measured, and reads it once. */
function writeFile(path, chunks) {
  const fd = openSync(path, "w+", 0o600);
  for (const chunk of chunks) {
    for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done, chunk.length - done);
  }
  fsyncSync(fd);
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let position = 0, got = -1; got !== 0; position += got) got = readSync(fd, piece, 0, piece.length, position);
  closeSync(fd);
}

/** A file in the page cache, its bytes in memory, and the digests that everybody must find. */
export function makeRandomFile(path, { byteLength, seed }) {
  const chunks = [...randomChunks(byteLength, seed)];
  writeFile(path, chunks);
  const fsverity = new FsverityHasher();
  for (const chunk of chunks) fsverity.update(chunk);
  return { path, byteLength, chunks, sha256: sha256Of(chunks), fsverity: fsverity.digest() };
}
