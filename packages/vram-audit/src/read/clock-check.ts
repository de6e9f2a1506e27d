import type { CheckedLine } from "../events/routine-line.js";
import type { ProblemList } from "./problem-list.js";

const STEPS_MAX = 16;
/** Less is rounding, and time servers that correct the clock a little. */
const TOLERANCE_MS = 1000;

/** The writer's clock was set, or its machine was suspended, at or shortly before a line. */
export interface ClockStep {
  readonly line: number;
  /** Forward, or back if negative. */
  readonly milliseconds: number;
}

/** Follows the two clocks of every session: one that may be set, and one that may not and so must not go back. */
export class ClockCheck {
  readonly #steps: ClockStep[] = [];
  #elapsedMs = 0;
  /** By how much the one is ahead of the other since the session began or the last step; undefined before a session. */
  #aheadMs: number | undefined;
  #wentBack: number | undefined;

  constructor(private readonly problems: ProblemList) {}

  /** The first ones. */
  get steps(): readonly ClockStep[] {
    return this.#steps;
  }

  check(line: number, { envelope }: CheckedLine): void {
    if (envelope === undefined) return;
    const elapsedMs = Number(envelope.elapsedms);
    const aheadMs = Date.parse(envelope.time) - elapsedMs;
    if (this.#aheadMs === undefined || envelope.type === "vram.audit.opened") this.#aheadMs = aheadMs;
    else if (elapsedMs < this.#elapsedMs) this.#wentBack ??= line;
    else if (Math.abs(aheadMs - this.#aheadMs) > TOLERANCE_MS) {
      if (this.#steps.length < STEPS_MAX) this.#steps.push({ line, milliseconds: aheadMs - this.#aheadMs });
      this.#aheadMs = aheadMs;
    }
    this.#elapsedMs = elapsedMs;
  }

  /** A line that was altered makes those around it look wrong: only where none was, a clock that goes back says something. */
  end(): void {
    if (this.#wentBack !== undefined && !this.problems.anyUpTo(this.#wentBack)) this.problems.add(this.#wentBack, "clock");
  }
}
