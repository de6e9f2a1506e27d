import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Allocation, LongOptions } from "vram-cuda";
import { FsverityHasher } from "vram-seal";
import { VramError, aborted, invalidInput } from "./errors.js";

/** Bytes that arrive in pieces, with their number known before the first. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  readonly byteLength: number;
}

/** Where a model comes from: a path, a file URL, bytes in memory, or a stream of bytes. */
export type ModelSource = string | URL | Uint8Array | ByteStream;

/** A model source whose size is known and that can be loaded once. */
export interface OpenSource {
  readonly byteLength: number;
  /**
   * Moves every byte into the allocation.
   * @throws VramError `INTEGRITY_VIOLATION` if a file changed or shrank meanwhile, `INVALID_INPUT` for a stream of another
   * size or a failed read, `ABORTED`.
   */
  load(allocation: Allocation, options: LongOptions): Promise<void>;
  /**
   * An independent fs-verity digest of the source, if its bytes can be changed by the caller while they are copied; it is
   * taken before the load, so bytes that differ between the two readings show.
   */
  readonly firstReading: ((options: LongOptions) => Promise<string>) | undefined;
  close(): Promise<void>;
}

const PIECE_BYTES = 1 << 20;

/** @throws VramError `INVALID_INPUT` for a source that is missing, unreadable, empty, or of no known kind. */
export async function openSource(source: unknown): Promise<OpenSource> {
  if (typeof source === "string" || source instanceof URL) return openFileSource(source);
  if (source instanceof Uint8Array) return memorySource(source);
  if (isByteStream(source)) return streamSource(source, source.byteLength);
  throw invalidInput("source", "be a path, a file URL, a Uint8Array or an async iterable with a byteLength");
}

function isByteStream(source: unknown): source is ByteStream {
  return (
    typeof source === "object" &&
    source !== null &&
    typeof (source as Partial<ByteStream>)[Symbol.asyncIterator] === "function"
  );
}

async function openFileSource(source: string | URL): Promise<OpenSource> {
  const path = filePath(source);
  const name = basename(path);
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(name, error);
  }
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) throw invalidInput("source", "be a regular file");
    const byteLength = checkedByteLength(Number(before.size));
    return {
      byteLength,
      firstReading: undefined,
      async load(allocation, options) {
        try {
          await allocation.appendFile(handle.fd, byteLength, options);
        } catch (error) {
          if ((await handle.stat({ bigint: true })).size < before.size) throw changed();
          throw error;
        }
        if (!sameFile(before, await handle.stat({ bigint: true }))) throw changed();
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error instanceof VramError ? error : unreadable(name, error);
  }
}

function filePath(source: string | URL): string {
  if (typeof source === "string") {
    if (source === "" || source.includes("\0")) throw invalidInput("source", "be a path without NUL characters");
    return source;
  }
  try {
    return fileURLToPath(source);
  } catch {
    throw invalidInput("source", "be a file URL");
  }
}

/** The error of the file system names the path, so only its code is kept. */
function unreadable(name: string, error: unknown): VramError {
  const errno = error instanceof Error && "code" in error ? String(error.code) : "EIO";
  return new VramError("INVALID_INPUT", `source must be a readable file (${errno}); check that it exists and its permissions`, {
    details: { argument: "source", file: /^[\w.+@=-]{1,255}$/.test(name) ? name : null, errno },
  });
}

function sameFile(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}

function changed(): VramError {
  return new VramError("INTEGRITY_VIOLATION", "the source changed while it was loaded; load a file that nothing writes to", {
    details: { reason: "load" },
  });
}

function checkedByteLength(byteLength: unknown): number {
  if (typeof byteLength !== "number" || !Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw invalidInput("source", "have a byteLength of 1 to 2^53 - 1");
  }
  return byteLength;
}

function memorySource(bytes: Uint8Array): OpenSource {
  const byteLength = checkedByteLength(bytes.byteLength);
  const pieces = async function* () {
    for (let offset = 0; offset < byteLength; offset += PIECE_BYTES) {
      if (bytes.byteLength !== byteLength) throw changed();
      yield bytes.subarray(offset, Math.min(offset + PIECE_BYTES, byteLength));
      await nextTurn();
    }
  };
  return {
    ...streamSource(pieces(), byteLength),
    async firstReading(options) {
      const hasher = new FsverityHasher();
      for await (const piece of pieces()) {
        throwIfAborted(options.signal);
        hasher.update(piece);
      }
      return hasher.digest();
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function streamSource(stream: AsyncIterable<Uint8Array>, declaredByteLength: unknown): OpenSource {
  const byteLength = checkedByteLength(declaredByteLength);
  return {
    byteLength,
    firstReading: undefined,
    async load(allocation, { signal, onProgress }) {
      let doneBytes = 0;
      for await (const chunk of checkedChunks(stream, signal)) {
        if (chunk.byteLength > byteLength - doneBytes) throw invalidInput("source", "yield no more than its byteLength");
        for (let offset = 0; offset < chunk.byteLength; offset += PIECE_BYTES) {
          throwIfAborted(signal);
          const piece = chunk.subarray(offset, offset + PIECE_BYTES);
          doneBytes += piece.byteLength;
          await allocation.append(piece);
        }
        onProgress?.(doneBytes, byteLength);
      }
      throwIfAborted(signal);
      if (doneBytes < byteLength) throw invalidInput("source", "yield all of its byteLength");
    },
    close: () => Promise.resolve(),
  };
}

/** The caller's iterator may throw anything, yield anything, or never answer; an abort does not wait for it. */
async function* checkedChunks(
  stream: AsyncIterable<unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  const abortion = abortionOf(signal);
  let finished = false;
  try {
    for (;;) {
      const result = await Promise.race([iterator.next(), abortion.promise]);
      if (result.done === true) {
        finished = true;
        return;
      }
      if (!(result.value instanceof Uint8Array)) throw invalidInput("source", "yield Uint8Array chunks");
      yield result.value;
    }
  } catch (error) {
    if (error instanceof VramError) throw error;
    finished = true;
    throw invalidInput("source", "be readable to its end", error);
  } finally {
    abortion.dispose();
    if (!finished) iterator.return?.().catch(() => undefined);
  }
}

interface Abortion {
  readonly promise: Promise<never>;
  dispose(): void;
}

function abortionOf(signal: AbortSignal | undefined): Abortion {
  let onAbort = (): void => undefined;
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(aborted(signal?.reason));
    };
  });
  promise.catch(() => undefined);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    promise,
    dispose: () => signal?.removeEventListener("abort", onAbort),
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal.reason);
}
