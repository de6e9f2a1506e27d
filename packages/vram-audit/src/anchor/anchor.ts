import type { SignedCheckpoint } from "../note/checkpoint.js";

/** What every kind of anchor takes. */
export interface AnchorOptions {
  /** Who the anchor is in events and states, different for each anchor of a log; default: what kind it is. */
  readonly name?: string;
  /** The log fails when the anchor does; default: it goes on and says so. */
  readonly required?: boolean;
  /** Longest time for one checkpoint, in milliseconds; default: 10 s. */
  readonly timeoutMs?: number;
}

/** Keeps checkpoints where who can change the log cannot change them. */
export interface Anchor extends AnchorOptions {
  readonly name: string;
  /**
   * Resolves when the checkpoint is kept, and rejects when it is not. One call at a time; a later one has no smaller checkpoint.
   * @param signal fires when the time is up
   */
  keep(checkpoint: SignedCheckpoint, signal: AbortSignal): Promise<void>;
  /**
   * The newest note it keeps, if it can tell: a log that does not contain what the note vouches for is not opened. Undefined or
   * empty when it keeps none.
   */
  kept?(): Promise<string | undefined>;
}
