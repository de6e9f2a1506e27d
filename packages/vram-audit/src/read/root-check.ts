import type { Checkpoint } from "../note/checkpoint.js";
import type { MerkleTree } from "../tree/merkle-tree.js";
import type { HistoryEntry } from "./checkpoint-history.js";
import type { ProblemList } from "./problem-list.js";

/** Compares the tree over the lines read so far with every checkpoint of its size. */
export class RootCheck {
  #next: Checkpoint | undefined;
  #latest: Checkpoint | undefined;
  #matched = 0;
  #mismatch: { readonly from: number; readonly to: number } | undefined;
  #historyBytes = 0;
  #historyTorn = false;

  /** @param anchors checkpoints kept somewhere else than with the log */
  constructor(
    private readonly problems: ProblemList,
    private readonly origin: string | undefined,
    private readonly history: AsyncGenerator<HistoryEntry, undefined>,
    private readonly anchors: readonly Checkpoint[],
  ) {}

  /** The lines up to this one are what was signed. */
  get matched(): number {
    return this.#matched;
  }

  /** The size of the last checkpoint in the history; 0 when there is none. */
  get latestSize(): number {
    return this.#latest?.size ?? 0;
  }

  /** Bytes of the history up to the end of its last complete note. */
  get historyBytes(): number {
    return this.#historyBytes;
  }

  get historyTorn(): boolean {
    return this.#historyTorn;
  }

  /**
   * Finds the first checkpoint that can be compared.
   * @param before the tree over the lines that were removed
   */
  async begin(before: MerkleTree): Promise<void> {
    this.#matched = before.size;
    do await this.#advance();
    while (this.#next !== undefined && this.#next.size < before.size);
    await this.check(before);
  }

  /** Whether a checkpoint is about exactly, or less than, these lines. */
  isDue(lines: number): boolean {
    return this.anchors.some(({ size }) => size === lines) || (this.#next !== undefined && this.#next.size <= lines);
  }

  async check(tree: MerkleTree): Promise<void> {
    while (this.#next !== undefined && this.#next.size <= tree.size) {
      this.#compare(this.#next, tree);
      await this.#advance();
    }
    for (const anchor of this.anchors) if (anchor.size === tree.size) this.#compare(anchor, tree);
  }

  /** Reads what is left of the history, and settles what only the last line can tell. */
  async end(tree: MerkleTree): Promise<void> {
    const lines = tree.size;
    while (this.#next !== undefined) await this.#advance();
    if (this.#latest === undefined) this.problems.add(null, "no-checkpoint");
    if (Math.max(this.latestSize, ...this.anchors.map(({ size }) => size)) > lines) this.problems.add(lines + 1, "truncated");
    if (this.#mismatch === undefined || this.problems.anyUpTo(this.#mismatch.to)) return;
    // The chain holds behind the altered line, so either it is the last line of all or the lines after it were rewritten.
    if (this.#mismatch.to === lines) this.problems.add(lines, "altered");
    else this.problems.add(this.#mismatch.from, "root");
  }

  #compare({ size, root }: Checkpoint, tree: MerkleTree): void {
    if (size === tree.size && root.equals(tree.root())) this.#matched = size;
    else this.#mismatch ??= { from: this.#matched + 1, to: size };
  }

  /** Moves on to the next checkpoint that can be compared. */
  async #advance(): Promise<void> {
    this.#next = undefined;
    for (;;) {
      const { value: entry } = await this.history.next();
      if (entry === undefined) return;
      const { checkpoint, end, complete } = entry;
      if (complete) this.#historyBytes = end;
      else this.#historyTorn = true;
      if (checkpoint !== undefined && checkpoint.origin === this.origin && checkpoint.size >= this.latestSize && checkpoint.size > 0) {
        this.#latest = checkpoint;
        this.#next = checkpoint;
        return;
      }
      if (complete) this.problems.add(null, "checkpoint");
    }
  }
}
