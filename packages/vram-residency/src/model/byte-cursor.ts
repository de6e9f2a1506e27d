import { isUtf8 } from "node:buffer";
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
  position: number;
  readonly #bytes: Buffer;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, position = 0) {
    this.position = position;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** @throws VramError `INVALID_INPUT` beyond 2^53 - 1. */
  u64(): number {
    const [low, high] = [this.u32(), this.u32()];
    if (high >= 2 ** 21) throw invalidInput("source", "have counts and lengths of at most 2^53 - 1");
    return high * 2 ** 32 + low;
  }

  /** A length as u64, then that many bytes of UTF-8. */
  string(): string {
    return this.#utf8().toString("utf8");
  }

  /** Passes over a string, and checks it. */
  skipString(): void {
    this.#utf8();
  }

  take(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #utf8(): Buffer {
    const bytes = this.take(this.u64());
    if (!isUtf8(bytes)) throw invalidInput("source", "have texts of valid UTF-8");
    return bytes;
  }

  #advance(length: number): number {
    const start = this.position;
    const end = start + length;
    if (end > this.#bytes.byteLength) throw new MoreBytesNeeded(end);
    this.position = end;
    return start;
  }
}
