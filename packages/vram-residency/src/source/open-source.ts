import { invalidInput } from "../errors.js";
import { readGiven } from "../given.js";
import { openFileSource } from "./file-source.js";
import { memorySource } from "./memory-source.js";
import type { ByteStream, OpenSource } from "./model-source.js";
import { streamSource } from "./stream-source.js";

/** @throws VramError `INVALID_INPUT` for a source that is missing, unreadable, empty, or of no known kind. */
export async function openSource(source: unknown, signal: AbortSignal | undefined): Promise<OpenSource> {
  if (typeof source === "string") return openFileSource(source);
  return readGiven("source", () => {
    if (source instanceof URL) return openFileSource(source);
    if (source instanceof Uint8Array) return memorySource(source, signal);
    if (isByteStream(source)) return streamSource(source, source.byteLength, signal);
    throw invalidInput("source", "be a path, a file URL, a Uint8Array or an async iterable with a byteLength");
  });
}

function isByteStream(source: unknown): source is ByteStream {
  return (
    typeof source === "object" &&
    source !== null &&
    typeof (source as Partial<ByteStream>)[Symbol.asyncIterator] === "function"
  );
}
