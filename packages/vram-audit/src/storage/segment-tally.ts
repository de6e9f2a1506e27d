import { createHash } from "node:crypto";
import type { SegmentFacts } from "../events/schema.js";

const NEWLINE = Uint8Array.of(0x0a);

/** Counts and hashes a segment line by line. */
export class SegmentTally {
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #last: number;

  /**
   * @param first the number of the first line
   * @param begunAtMs when that line was made
   */
  constructor(
    readonly first: number,
    readonly begunAtMs: number,
  ) {
    this.#last = first - 1;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param line without its newline */
  add(line: Uint8Array): void {
    this.#hash.update(line).update(NEWLINE);
    this.#bytes += line.length + NEWLINE.length;
    this.#last += 1;
  }

  facts(): SegmentFacts {
    return { first: this.first, last: this.#last, bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }
}

/** A segment that another one follows. */
export interface ClosedSegment {
  readonly name: string;
  readonly facts: SegmentFacts;
  /** The tree's root over all lines up to its last one, in hex. */
  readonly root: string;
  /** When the next one was begun. */
  readonly closedAtMs: number;
}

/** The last segment. */
export interface CurrentSegment {
  readonly name: string;
  readonly tally: SegmentTally;
}
