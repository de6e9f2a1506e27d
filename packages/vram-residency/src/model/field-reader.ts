import { invalidInput } from "../errors.js";
import { ByteCursor, MoreBytesNeeded } from "./byte-cursor.js";
import type { HeadBuffer } from "./head-buffer.js";
import { HEADER_MAX_BYTES } from "./limits.js";
import { Pauses } from "./pauses.js";

const FIRST_BYTES = 65_536;

/** Reads a header that does not say how long it is, field after field. */
export class FieldReader {
  readonly #head: HeadBuffer;
  readonly #pauses = new Pauses();
  #cursor = new ByteCursor(new Uint8Array());

  constructor(head: HeadBuffer) {
    this.#head = head;
  }

  /** In bytes from the start of the image. */
  get position(): number {
    return this.#cursor.position;
  }

  /** Reads some fields; where the bytes that are there end before, all of these again once there are more. */
  async read<T>(fields: (cursor: ByteCursor) => T): Promise<T> {
    await this.#pauses.step();
    const start = this.#cursor.position;
    for (;;) {
      try {
        return fields(this.#cursor);
      } catch (error) {
        if (!(error instanceof MoreBytesNeeded)) throw error;
        await this.#readTo(error.end);
        this.#cursor = new ByteCursor(this.#head.bytes, start);
      }
    }
  }

  async #readTo(end: number): Promise<void> {
    if (end > HEADER_MAX_BYTES) throw invalidInput("source", `have a header of at most ${HEADER_MAX_BYTES} bytes`);
    await this.#head.require(end);
    await this.#head.request(Math.min(Math.max(FIRST_BYTES, 2 * end), HEADER_MAX_BYTES));
  }
}
