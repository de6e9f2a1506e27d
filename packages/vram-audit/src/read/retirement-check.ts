import type { CheckedLine } from "../events/routine-line.js";
import type { ProblemList } from "./problem-list.js";

interface Retirement {
  /** Where the record stands. */
  readonly line: number;
  /** The last line it is about. */
  readonly last: number;
}

/** Compares the lines that are gone from the beginning of a log with the records of their removal. */
export class RetirementCheck {
  readonly #records: Retirement[] = [];

  constructor(private readonly problems: ProblemList) {}

  /** The last line that a record says is, or is about to be, removed; 0 when there is none. */
  get lastRetired(): number {
    return lastOf(this.#records);
  }

  check(line: number, { event }: CheckedLine): void {
    if (event?.type === "vram.audit.retired") this.#records.push({ line, last: event.data.segments.at(-1)?.last ?? 0 });
  }

  /**
   * @param removed how many lines are gone; a writer that ended while it removed files leaves some that its record names
   * @param signed how many lines a checkpoint vouches for
   */
  end(removed: number, signed: number): void {
    const recorded = lastOf(this.#records.filter(({ line }) => line <= signed));
    if (recorded < removed) this.problems.add(recorded + 1, "removed");
  }
}

function lastOf(records: readonly Retirement[]): number {
  return Math.max(0, ...records.map(({ last }) => last));
}
