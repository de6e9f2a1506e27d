export const RING_LINES_MAX = 1000;
/** A line has up to 1 MiB. */
const CHARACTERS_MAX = 16_777_216;

/** A line of the audit log and its number. */
export interface NumberedLine {
  readonly sequence: number;
  readonly line: string;
}

/** The newest lines of a log, without holes. */
export class EventRing {
  #lines: NumberedLine[] = [];
  #characters = 0;

  /** The number of the oldest line that is there; of an empty ring, of the first line of any log. */
  get first(): number {
    return this.#lines[0]?.sequence ?? 1;
  }

  /** The number of the newest line; 0 without one. */
  get newest(): number {
    return this.#lines.at(-1)?.sequence ?? 0;
  }

  at(sequence: number): NumberedLine | undefined {
    return this.#lines[sequence - this.first];
  }

  /** Takes a line that is newer than all others; behind lines that are missing the ring begins anew. */
  push(numbered: NumberedLine): void {
    if (numbered.sequence !== this.newest + 1) {
      this.#lines = [];
      this.#characters = 0;
    }
    this.#lines.push(numbered);
    this.#characters += numbered.line.length;
    while (this.#lines.length > RING_LINES_MAX || this.#characters > CHARACTERS_MAX) this.#characters -= this.#lines.shift()?.line.length ?? 0;
  }
}
