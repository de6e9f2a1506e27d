import { setImmediate as nextTurn } from "node:timers/promises";
import { AuditError, errnoOf } from "../audit-error.js";
import { errorCode } from "../events/fields.js";
import type { SignedCheckpoint } from "../note/checkpoint.js";
import type { Anchor } from "./anchor.js";
import { withinLimit } from "./within-limit.js";

/** How an anchor of an open log stands. */
export interface AnchorState {
  readonly name: string;
  /** Lines that the anchor's newest checkpoint vouches for; 0 before this writer's first. */
  readonly keptSize: number;
  /** Checkpoints that were not kept. */
  readonly failures: number;
  /** Why the newest was not: an error number of the system, or `TIMEOUT`, `EXIT`, `STATUS`, `ROLLBACK`, `FORK`, ...; null when it was. */
  readonly lastFailure: string | null;
}

/** Hands checkpoints to an anchor, one at a time: of those that come meanwhile only the newest waits. */
export class AnchorKeeper {
  #waiting: SignedCheckpoint | undefined;
  #running: Promise<void> | undefined;
  #keptSize = 0;
  #failures = 0;
  #lastFailure: string | null = null;

  /** @param onChange told when the anchor begins to fail, and when it is back */
  constructor(
    readonly anchor: Anchor,
    private readonly onChange: (keeper: AnchorKeeper) => void,
  ) {}

  get state(): AnchorState {
    const { name } = this.anchor;
    return { name, keptSize: this.#keptSize, failures: this.#failures, lastFailure: this.#lastFailure };
  }

  offer(checkpoint: SignedCheckpoint): void {
    this.#waiting = checkpoint;
    this.#running ??= this.#run();
  }

  /** Resolves when the newest checkpoint is kept or has failed, at the latest after the anchor's time limit. */
  async settle(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    try {
      await withinLimit(this.anchor, () => running);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #run(): Promise<void> {
    // Who waits for the log does not wait for the anchor to begin.
    await nextTurn();
    for (let checkpoint = this.#waiting; checkpoint !== undefined; checkpoint = this.#waiting) {
      this.#waiting = undefined;
      await this.#keep(checkpoint);
    }
    this.#running = undefined;
  }

  async #keep(checkpoint: SignedCheckpoint): Promise<void> {
    let kept: Promise<void> | undefined;
    try {
      await withinLimit(this.anchor, (signal) => (kept = this.anchor.keep(checkpoint, signal)));
      this.#keptSize = checkpoint.size;
      this.#become(null);
    } catch (error) {
      this.#fail(error);
    }
    // An anchor that is late is not given the next checkpoint while it may still write this one.
    await kept?.catch(() => undefined);
  }

  #fail(error: unknown): void {
    this.#failures += 1;
    this.#become(failureCode(error));
  }

  #become(failure: string | null): void {
    const changed = (failure === null) !== (this.#lastFailure === null);
    this.#lastFailure = failure;
    if (changed) this.onChange(this);
  }
}

function failureCode(error: unknown): string {
  const word = error instanceof AuditError ? (error.details["errno"] ?? error.details["reason"]) : errnoOf(error);
  const code = String(word).toUpperCase();
  return errorCode.safeParse(code).success ? code : "UNKNOWN";
}
