import { VramError } from "./errors.js";

/** `sealed`: resident, immutable, ready. `repairing`: its seal is void while blocks are written. `releasing`: nobody finds it any more. */
export type ShardState = "sealed" | "repairing" | "releasing" | "released";

const MOVES: Readonly<Record<ShardState, readonly ShardState[]>> = {
  sealed: ["repairing", "releasing"],
  repairing: ["sealed", "releasing"],
  releasing: ["released"],
  released: [],
};

/** The state of one sealed shard (docs/design/lifecycle.md). */
export class ShardLifecycle {
  #state: ShardState = "sealed";

  get state(): ShardState {
    return this.#state;
  }

  /** @throws VramError `NOT_SEALED` for a move that the lifecycle does not have. */
  move(to: ShardState): void {
    if (!MOVES[this.#state].includes(to)) {
      throw new VramError("NOT_SEALED", `the shard is ${this.#state}; it cannot become ${to}`, { details: { state: this.#state, to } });
    }
    this.#state = to;
  }
}
