import type { LineFault } from "../events/line.js";

const PROBLEMS_MAX = 16;

/** What is wrong with a log. */
export type AuditProblemReason =
  | LineFault
  | "sequence"
  | "prevhash"
  | "altered"
  | "root"
  | "segment"
  | "missing"
  | "removed"
  | "session"
  | "clock"
  | "key"
  | "torn"
  | "truncated"
  | "uncovered"
  | "checkpoint"
  | "no-checkpoint"
  | "no-key";

/** One thing that is wrong with a log. */
export interface AuditProblem {
  /** From 1; null when it is not about a line. For missing lines the first of them. */
  readonly line: number | null;
  /** The bare name of the file that the line is in or, for a missing one, would follow; null where there is none. */
  readonly segment: string | null;
  readonly reason: AuditProblemReason;
  /** The same for people. */
  readonly message: string;
}

const MESSAGES: Readonly<Record<AuditProblemReason, string>> = {
  json: "is not JSON",
  spelling: "is not spelled the way the log writes it",
  schema: "does not have the fields of its type",
  sequence: "is out of order, repeated, or follows missing lines",
  prevhash: "does not carry the hash of the line before",
  altered: "is not the line that was written",
  root: "is the first of lines that differ from what was signed",
  segment: "does not belong at this place of a segment, or the segment at this place of the log",
  missing: "is missing: the next segment begins behind it",
  removed: "is missing: the log begins behind it, and no signed record says that it was removed",
  session: "does not belong at this place of a session",
  clock: "was written before the line before it, by the clock that cannot be set",
  key: "names another key or origin than the log's",
  torn: "is incomplete: the writer ended while writing it",
  truncated: "and later lines are missing: a checkpoint vouches for them",
  uncovered: "follows the last checkpoint, where every writer would have signed one",
  checkpoint: "a checkpoint is malformed, out of order, or not signed by the log's key",
  "no-checkpoint": "no checkpoint vouches for the log",
  "no-key": "no public key is known for the log",
};

/** One clause for people, with the line and its file. */
export function describeProblem({ line, segment, message }: AuditProblem): string {
  if (line === null) return message;
  return `line ${line}${segment === null ? "" : ` (${segment})`} ${message}`;
}

/** Problems by line: the first reason found for a line stays, and a few lines are enough. */
export class ProblemList {
  readonly #byLine = new Map<number, AuditProblemReason>();
  readonly #general = new Set<AuditProblemReason>();

  add(line: number | null, reason: AuditProblemReason): void {
    if (line === null) this.#general.add(reason);
    else if (!this.#byLine.has(line) && this.#byLine.size < PROBLEMS_MAX) this.#byLine.set(line, reason);
  }

  get isEmpty(): boolean {
    return this.#byLine.size === 0 && this.#general.size === 0;
  }

  has(line: number): boolean {
    return this.#byLine.has(line);
  }

  /** Whether a line up to this one is known to be wrong, which explains what does not fit behind it. */
  anyUpTo(line: number): boolean {
    return Array.from(this.#byLine.keys()).some((bad) => bad <= line);
  }

  /**
   * By line, those about no line last.
   * @param segmentOf the name of the segment that a line is in
   */
  list(segmentOf: (line: number) => string | undefined): readonly AuditProblem[] {
    const lines = Array.from(this.#byLine).toSorted(([a], [b]) => a - b);
    return [
      ...lines.map(([line, reason]) => ({
        line,
        segment: segmentOf(reason === "missing" ? line - 1 : line) ?? null,
        reason,
        message: MESSAGES[reason],
      })),
      ...Array.from(this.#general, (reason) => ({ line: null, segment: null, reason, message: MESSAGES[reason] })),
    ];
  }
}
