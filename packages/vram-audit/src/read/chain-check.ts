import { sha256Hex } from "../tree/sha256.js";
import type { ProblemList } from "./problem-list.js";

/** Follows `prevhash` from line to line and tells, for a broken link, which of its two lines changed. */
export class ChainCheck {
  #before: string;
  /** A line whose link to the line before is broken, while it is open which of the two changed. */
  #broken: number | undefined;

  /**
   * @param before the hash that the first line must carry
   * @param isVouched whether a signed root has shown that a line is the one that was written
   */
  constructor(
    private readonly problems: ProblemList,
    before: string,
    private readonly isVouched: (line: number) => boolean,
  ) {
    this.#before = before;
  }

  /** The hash of the last line, which the next one must carry. */
  get lastHash(): string {
    return this.#before;
  }

  /** @param prevhash undefined when the line cannot be read, or the line before was not */
  check(line: number, prevhash: string | undefined, bytes: Uint8Array): void {
    const broken = prevhash !== undefined && prevhash !== this.#before;
    const open = this.#broken;
    this.#broken = undefined;
    if (open !== undefined) this.#settle(open, broken);
    else if (broken) this.#judge(line);
    this.#before = sha256Hex(bytes);
  }

  end(): void {
    if (this.#broken !== undefined) this.#settle(this.#broken, false);
  }

  #judge(line: number): void {
    if (this.problems.has(line) || this.problems.has(line - 1)) return;
    if (line === 1 || this.isVouched(line - 1)) this.problems.add(line, "prevhash");
    else this.#broken = line;
  }

  /** A line with both its links broken is the one that changed; with only the first broken it is the one before. */
  #settle(line: number, nextBroken: boolean): void {
    if (nextBroken || this.isVouched(line - 1)) this.problems.add(line, "prevhash");
    else this.problems.add(line - 1, "altered");
  }
}
