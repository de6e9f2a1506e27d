import { invalidInput } from "../errors.js";

/** The bytes that are there end before what is to be read does. `end` in bytes from the start. */
export class MoreBytesNeeded extends Error {
  readonly end: number;
  constructor(end: number) {
    super("more bytes needed");
    this.end = end;
  }
}

/** Reads little-endian fields one after another. Throws `MoreBytesNeeded` where the bytes end. */
export class ByteCursor {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** @throws VramError `INVALID_INPUT` beyond 2^53 - 1. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidInput("source", "have counts and lengths of at most 2^53 - 1");
    return Number(value);
  }

  /** A length as u64, then that many bytes of UTF-8. */
  string(): string {
    const bytes = this.take(this.u64());
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw invalidInput("source", "have texts of valid UTF-8");
    }
  }

  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #advance(length: number): number {
    const start = this.position;
    const end = start + length;
    if (end > this.#bytes.byteLength) throw new MoreBytesNeeded(end);
    this.position = end;
    return start;
  }
}
