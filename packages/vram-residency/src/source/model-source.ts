import type { Allocation, LongOptions } from "vram-cuda";
import { VramError, aborted, invalidInput } from "../errors.js";

/** Bytes that arrive in pieces, with their number known before the first. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  readonly byteLength: number;
}

/** Where a model comes from: a path, a file URL, bytes in memory, or a stream of bytes. */
export type ModelSource = string | URL | Uint8Array | ByteStream;

/** Reads blocks of 4096 bytes by number, the last one as long as it is. */
export type BlockReader = (blocks: readonly number[]) => Promise<readonly Uint8Array[]>;

/** A model source whose size is known and that can be loaded once. */
export interface OpenSource {
  readonly byteLength: number;
  /** The bare name of a file; it goes nowhere but into the choice of a format. */
  readonly fileName: string | undefined;
  /**
   * The next `length` bytes from the start on, as a copy of our own. What was read here is handed to `load` again, so that
   * the bytes that were looked at are the ones that are sealed.
   */
  readHead(length: number): Promise<Uint8Array>;
  /**
   * Moves `head`, all that `readHead` gave, and every byte after it into the allocation.
   * @throws VramError `INTEGRITY_VIOLATION` if a file changed or shrank meanwhile, `INVALID_INPUT` for a stream of another
   * size or a failed read, `ABORTED`.
   */
  load(allocation: Allocation, head: Uint8Array, options: LongOptions): Promise<void>;
  /** The fs-verity digest that the kernel measured of a file which it protects with our parameters. */
  readonly measuredDigest: string | undefined;
  /**
   * An independent fs-verity digest of the source, if its bytes can be changed by the caller while they are copied; it is
   * taken before the load, so bytes that differ between the two readings show.
   */
  readonly firstReading: ((options: LongOptions) => Promise<string>) | undefined;
  /** Opens a file anew for blocks of it, also when this was closed. What cannot be read a second time has none. */
  readonly reread: BlockReader | undefined;
  close(): Promise<void>;
}

/** Sources are copied in pieces of this many bytes, so that the event loop turns in between. */
export const PIECE_BYTES = 1 << 20;

export function checkedByteLength(byteLength: unknown): number {
  if (typeof byteLength !== "number" || !Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw invalidInput("source", "have a byteLength of 1 to 2^53 - 1");
  }
  return byteLength;
}

export function changed(): VramError {
  return new VramError("INTEGRITY_VIOLATION", "the source changed while it was loaded; load a file that nothing writes to", {
    details: { reason: "load" },
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal.reason);
}
