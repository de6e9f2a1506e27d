import { createHash } from "node:crypto";
import type { SegmentFacts } from "../events/schema.js";

const NEWLINE = 0x0a;
/** Lines are hashed together up to this length: one by one, the calls would cost more than the hash. */
const PENDING_BYTES = 16_384;

/** Counts and hashes a segment line by line. */
export class SegmentTally {
  readonly #hash = createHash("sha256");
  readonly #pending = Buffer.allocUnsafeSlow(PENDING_BYTES);
  #pendingBytes = 0;
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
    if (this.#pendingBytes + line.length >= PENDING_BYTES) this.#hashPending();
    if (line.length >= PENDING_BYTES) this.#hash.update(line);
    else this.#pend(line);
    this.#pending[this.#pendingBytes++] = NEWLINE;
    this.#bytes += line.length + 1;
    this.#last += 1;
  }

  facts(): SegmentFacts {
    this.#hashPending();
    return { first: this.first, last: this.#last, bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }

  #pend(line: Uint8Array): void {
    this.#pending.set(line, this.#pendingBytes);
    this.#pendingBytes += line.length;
  }

  #hashPending(): void {
    this.#hash.update(this.#pending.subarray(0, this.#pendingBytes));
    this.#pendingBytes = 0;
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
