import { VramError, aborted, invalidInput } from "../errors.js";
import { PIECE_BYTES, checkedByteLength, throwIfAborted } from "./model-source.js";
import type { OpenSource } from "./model-source.js";

/** A stream of chunks of any size. The iterator is asked for the first one when bytes are needed. */
export function streamSource(
  stream: AsyncIterable<unknown>,
  declaredByteLength: unknown,
  signal: AbortSignal | undefined,
): OpenSource {
  const byteLength = checkedByteLength(declaredByteLength);
  const chunks = checkedChunks(stream, signal);
  /** What a chunk had more than the head needed. */
  let rest: Uint8Array = new Uint8Array();
  return {
    byteLength,
    fileName: undefined,
    measuredDigest: undefined,
    firstReading: undefined,
    reread: undefined,
    async readHead(length) {
      const head = new Uint8Array(length);
      for (let done = 0; done < length;) {
        if (rest.byteLength === 0) rest = await nextChunk(chunks);
        const taken = rest.subarray(0, length - done);
        head.set(taken, done);
        done += taken.byteLength;
        rest = rest.subarray(taken.byteLength);
      }
      return head;
    },
    async load(allocation, head, { onProgress }) {
      let doneBytes = 0;
      const put = async (chunk: Uint8Array): Promise<void> => {
        if (chunk.byteLength > byteLength - doneBytes) throw invalidInput("source", "yield no more than its byteLength");
        for (let offset = 0; offset < chunk.byteLength; offset += PIECE_BYTES) {
          throwIfAborted(signal);
          const piece = chunk.subarray(offset, offset + PIECE_BYTES);
          doneBytes += piece.byteLength;
          await allocation.append(piece);
        }
        try {
          onProgress?.(doneBytes, byteLength);
        } catch (error) {
          throw aborted(error);
        }
      };
      await put(head);
      await put(rest);
      for await (const chunk of chunks) await put(chunk);
      throwIfAborted(signal);
      if (doneBytes < byteLength) throw invalidInput("source", "yield all of its byteLength");
    },
    async close() {
      await chunks.return();
    },
  };
}

async function nextChunk(chunks: AsyncGenerator<Uint8Array, void>): Promise<Uint8Array> {
  const { done, value } = await chunks.next();
  if (done === true) throw invalidInput("source", "yield all of its byteLength");
  return value;
}

/** The caller's iterator may throw anything, yield anything, or never answer; an abort does not wait for it. */
async function* checkedChunks(stream: AsyncIterable<unknown>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
  let iterator: AsyncIterator<unknown> | undefined;
  let finished = false;
  try {
    iterator = stream[Symbol.asyncIterator]();
    for (;;) {
      const result = await unlessAborted(iterator.next(), signal);
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
    if (!finished) void Promise.resolve(iterator).then((each) => each?.return?.()).catch(() => undefined);
  }
}

/** Settles as `work` does, or rejects as soon as the signal is aborted. */
function unlessAborted<T>(work: PromiseLike<T> | T, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return Promise.resolve(work);
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      reject(aborted(signal.reason));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    void Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener("abort", onAbort);
      });
  });
}
