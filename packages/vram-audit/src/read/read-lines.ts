import { setTimeout as delay } from "node:timers/promises";
import { LINE_MAX_BYTES } from "../events/line.js";

/** The part of `FileHandle` that reading needs. */
export interface ReadableFile {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

export interface FileLine {
  /** Without the newline. Of a line beyond the limit only its beginning, still longer than the limit. */
  readonly bytes: Buffer;
  /** Position in the file behind the line and its newline. */
  readonly end: number;
  /** False for bytes at the end that no newline follows. */
  readonly complete: boolean;
}

const NEWLINE = 0x0a;
const CHUNK_BYTES = 131_072;
// A writer that is alive finishes the write that a reader has seen the first half of.
const UNFINISHED_RETRIES = 5;
const UNFINISHED_WAIT_MS = 20;

/** The lines of a file that begin before `limit`, in bounded memory, also while somebody appends. */
export async function* readLines(file: ReadableFile, limit: number): AsyncGenerator<FileLine, undefined> {
  for await (const batch of readLineBatches(file, limit)) yield* batch;
  return undefined;
}

/** The same from `from` on, where a line begins, as many at a time as one read has found. */
export async function* readLineBatches(file: ReadableFile, limit: number, from = 0): AsyncGenerator<readonly FileLine[], undefined> {
  let partial: Buffer[] = [];
  let partialBytes = 0;
  let start = from;
  let position = from;
  let retries = 0;
  while (start < limit) {
    // A new one each time: the lines are parts of it.
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) {
      if (position === start || retries === UNFINISHED_RETRIES) break;
      retries += 1;
      await delay(UNFINISHED_WAIT_MS);
      continue;
    }
    position += bytesRead;
    const read = chunk.subarray(0, bytesRead);
    const batch: FileLine[] = [];
    let at = 0;
    for (let newline = read.indexOf(NEWLINE); newline >= 0 && start < limit; newline = read.indexOf(NEWLINE, at)) {
      const last = read.subarray(at, newline);
      start += partialBytes + last.length + 1;
      batch.push({ bytes: partial.length > 0 ? Buffer.concat([...partial, last]) : last, end: start, complete: true });
      partial = [];
      partialBytes = 0;
      at = newline + 1;
    }
    if (partialBytes <= LINE_MAX_BYTES && at < bytesRead) partial.push(Buffer.from(read.subarray(at)));
    partialBytes += bytesRead - at;
    if (batch.length > 0) yield batch;
  }
  if (start < limit && position > start) yield [{ bytes: Buffer.concat(partial), end: position, complete: false }];
  return undefined;
}
