import { invalidInput } from "../errors.js";

/** Gives an image's bytes from the start on, each once. `byteLength` is the whole image's. */
export interface HeadReader {
  readonly byteLength: number;
  /** The next `length` bytes, exactly. */
  read(length: number): Promise<Uint8Array>;
}

/** The first bytes of an image, as many as were asked for. Never more than the image has. */
export class HeadBuffer {
  readonly byteLength: number;
  readonly #reader: HeadReader;
  #bytes: Uint8Array = new Uint8Array();
  #filled = 0;

  constructor(reader: HeadReader) {
    this.#reader = reader;
    this.byteLength = reader.byteLength;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#filled);
  }

  /** Reads on until `end` bytes are there, or the whole image if it is shorter. */
  async request(end: number): Promise<void> {
    const target = Math.min(end, this.byteLength);
    if (target <= this.#filled) return;
    const piece = await this.#reader.read(target - this.#filled);
    if (target > this.#bytes.byteLength) this.#grow(target);
    this.#bytes.set(piece, this.#filled);
    this.#filled = target;
  }

  /** Reads on until `end` bytes are there. @throws VramError `INVALID_INPUT` for an image that ends before. */
  async require(end: number): Promise<void> {
    if (end > this.byteLength) throw invalidInput("source", "not be cut short: its header needs more bytes than there are");
    await this.request(end);
  }

  #grow(target: number): void {
    const bytes = new Uint8Array(Math.min(this.byteLength, Math.max(target, 2 * this.#bytes.byteLength)));
    bytes.set(this.bytes);
    this.#bytes = bytes;
  }
}
