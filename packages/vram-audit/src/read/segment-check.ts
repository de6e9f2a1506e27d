import type { CheckedLine } from "../events/routine-line.js";
import type { Segment } from "../storage/file-names.js";
import { type ClosedSegment, type CurrentSegment, SegmentTally } from "../storage/segment-tally.js";
import type { MerkleTree } from "../tree/merkle-tree.js";
import type { ProblemList } from "./problem-list.js";

/** Follows a log from segment to segment: each is named by its first line, which, but for the log's own, is the record of a rotation. */
export class SegmentCheck {
  readonly #closed: ClosedSegment[] = [];
  #current: CurrentSegment | undefined;
  /** Whether the current segment holds nothing but the record of its rotation yet. */
  #inHeader = false;

  constructor(private readonly problems: ProblemList) {}

  /** Oldest first. */
  get closed(): readonly ClosedSegment[] {
    return this.#closed;
  }

  /** The last segment with a whole line. */
  get current(): CurrentSegment | undefined {
    return this.#current;
  }

  /** @param tree over the lines before */
  check(tree: MerkleTree, { name, first }: Segment, { envelope, event }: CheckedLine, bytes: Uint8Array): void {
    const line = tree.size + 1;
    const isHeader = event?.type === "vram.audit.rotated";
    if (name !== this.#current?.name) {
      this.#begin({ name, tally: new SegmentTally(line, Date.parse(envelope?.time ?? "")) }, tree);
      if (first !== line) this.problems.add(line, first > line ? "missing" : "segment");
      if (line > 1 && envelope !== undefined && !isHeader) this.problems.add(line, "segment");
    } else if (isHeader && !this.#inHeader) {
      this.problems.add(line, "segment");
    }
    this.#inHeader = isHeader;
    this.#current?.tally.add(bytes);
  }

  /** The name of the segment that a line is in or, for one that is missing, would follow; undefined for a removed one. */
  nameOf(line: number): string | undefined {
    if (this.#current !== undefined && this.#current.tally.first <= line) return this.#current.name;
    return this.#closed.findLast(({ facts }) => facts.first <= line)?.name;
  }

  #begin(next: CurrentSegment, tree: MerkleTree): void {
    if (this.#current !== undefined) {
      const { name, tally } = this.#current;
      this.#closed.push({ name, facts: tally.facts(), root: tree.root().toString("hex"), closedAtMs: next.tally.begunAtMs });
    }
    this.#current = next;
  }
}
