import type { FileHandle } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { assertBytes } from "../input.js";
import { invalidInput, SealError } from "../seal-error.js";
import { FsverityHasher, type FsverityOptions } from "./fsverity-hasher.js";

/** Bytes hashed without a turn of the event loop: about a millisecond. */
const PIECE_BYTES = 1 << 20;

/** How to digest what is read. */
export interface ReadFsverityOptions extends FsverityOptions {
  /** Heeded between pieces of at most 1 MiB. */
  readonly signal?: AbortSignal;
  /** `totalBytes` is null where the source does not tell. */
  readonly onProgress?: (doneBytes: number, totalBytes: number | null) => void;
}

/**
 * The fs-verity digest of an open regular file, from its first byte and whatever its position, or of a stream of chunks.
 * Never holds the event loop for longer than a piece takes. The file handle stays open.
 *
 * @throws SealError `INVALID_INPUT` for another kind of source or file, a read that fails (`details.errno`) and a file
 * that changed meanwhile; `ABORTED`
 */
export async function readFsverityDigest(
  source: FileHandle | AsyncIterable<Uint8Array>,
  options: ReadFsverityOptions = {},
): Promise<string> {
  const { signal, onProgress } = options;
  const hasher = new FsverityHasher(options);
  const { pieces, totalBytes } = await openSource(source);
  let doneBytes = 0;
  assertNotAborted(signal);
  for await (const piece of pieces) {
    assertNotAborted(signal);
    hasher.update(piece);
    doneBytes += piece.length;
    onProgress?.(doneBytes, totalBytes);
  }
  return hasher.digest();
}

interface PieceSource {
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly totalBytes: number | null;
}

async function openSource(source: unknown): Promise<PieceSource> {
  if (isAsyncIterable(source)) return { pieces: splitChunks(source), totalBytes: null };
  if (!isFileHandle(source)) throw invalidInput("source", "be an open file handle or an async iterable of bytes");
  const before = await fileState(source);
  return { pieces: readPieces(source, before), totalBytes: Number(before.size) };
}

async function* splitChunks(chunks: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    assertBytes("source", chunk);
    yield chunk.subarray(0, PIECE_BYTES);
    for (let offset = PIECE_BYTES; offset < chunk.length; offset += PIECE_BYTES) {
      await nextTurn();
      yield chunk.subarray(offset, offset + PIECE_BYTES);
    }
  }
}

/** Reads one piece ahead while the one before is hashed. */
async function* readPieces(file: FileHandle, before: FileState): AsyncGenerator<Uint8Array> {
  let [current, next] = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)];
  let position = 0;
  let reading = readPiece(file, current, position);
  try {
    // A file that grows is given up as soon as it is longer than it was, not followed.
    for (let read = await reading; read > 0 && position <= before.size; read = await reading) {
      position += read;
      reading = readPiece(file, next, position);
      yield current.subarray(0, read);
      [current, next] = [next, current];
    }
  } finally {
    // The caller may close the file as soon as this ends; an error in a read that nobody wants is no error.
    await reading.catch(() => undefined);
  }
  const after = await fileState(file);
  const unchanged = after.size === before.size && after.mtimeNs === before.mtimeNs && BigInt(position) === before.size;
  if (!unchanged) throw invalidInput("source", "not change while it is read", { reason: "changed" });
}

function readPiece(file: FileHandle, piece: Buffer, position: number): Promise<number> {
  const reading = file.read(piece, 0, PIECE_BYTES, position).then(({ bytesRead }) => bytesRead, readFailed);
  // Handled where it is awaited, which may be after it has failed.
  reading.catch(() => undefined);
  return reading;
}

interface FileState {
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

async function fileState(file: FileHandle): Promise<FileState> {
  const stats = await file.stat({ bigint: true }).catch(readFailed);
  if (!stats.isFile()) throw invalidInput("source", "be a regular file", { reason: "not-a-regular-file" });
  return stats;
}

function readFailed(error: unknown): never {
  const errno = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
  throw invalidInput("source", `be readable (${errno})`, { reason: "unreadable", errno });
}

function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SealError("ABORTED", "the digest was aborted by the caller", { cause: signal.reason });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function isFileHandle(value: unknown): value is FileHandle {
  return typeof value === "object" && value !== null && "fd" in value && "read" in value && "stat" in value;
}
