import type { ParsedLine } from "../events/line.js";
import type { AuditRetired } from "../events/schema.js";
import type { MerkleTree } from "../tree/merkle-tree.js";
import type { ProblemList } from "./problem-list.js";

interface Retirement {
  /** Where the record stands. */
  readonly line: number;
  /** The last line it is about. */
  readonly last: number;
  readonly root: string;
}

/** Compares the lines that are gone from the beginning of a log with the records of their removal. */
export class RetirementCheck {
  readonly #records: Retirement[] = [];

  constructor(private readonly problems: ProblemList) {}

  /** The last line that a record says is, or is about to be, removed; 0 when there is none. */
  get lastRetired(): number {
    return Math.max(0, ...this.#records.map(({ last }) => last));
  }

  check(line: number, { event }: ParsedLine): void {
    if (event?.type === "vram.audit.retired") this.#records.push({ line, ...removal(event.data) });
  }

  /**
   * @param before the tree over the lines that are gone
   * @param signed how many lines a checkpoint vouches for
   */
  end(before: MerkleTree, signed: number): void {
    const root = before.root().toString("hex");
    // A writer that ended while it removed files leaves some of those that its record names.
    const records = this.#records.filter((record) => record.line <= signed && (record.last !== before.size || record.root === root));
    const recorded = Math.max(0, ...records.map(({ last }) => last));
    if (recorded < before.size) this.problems.add(recorded + 1, "removed");
  }
}

function removal({ segments, root }: AuditRetired["data"]): Omit<Retirement, "line"> {
  return { last: segments.at(-1)?.last ?? 0, root };
}
