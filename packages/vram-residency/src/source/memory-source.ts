import { FsverityHasher } from "vram-seal";
import { PIECE_BYTES, changed, checkedByteLength, throwIfAborted } from "./model-source.js";
import type { OpenSource } from "./model-source.js";
import { streamSource } from "./stream-source.js";

/** Bytes that the caller may change or detach at any time. */
export function memorySource(bytes: Uint8Array, signal: AbortSignal | undefined): OpenSource {
  const byteLength = checkedByteLength(bytes.byteLength);
  const pieces = async function* () {
    for (let offset = 0; offset < byteLength; offset += PIECE_BYTES) {
      if (bytes.byteLength !== byteLength) throw changed();
      yield bytes.subarray(offset, Math.min(offset + PIECE_BYTES, byteLength));
      await nextTurn();
    }
  };
  return {
    ...streamSource(pieces(), byteLength, signal),
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
