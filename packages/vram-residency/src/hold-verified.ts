import { assertNotAborted, invalidInput } from "./errors.js";
import type { LiveShard } from "./registry.js";
import { pinTarget, verifyShard } from "./verify.js";
import type { PinnedShard, Verified, VerifyTarget } from "./verify.js";
import type { Worker } from "./worker.js";

/** Shards that were verified just now, and that cannot be released until `unpin` is called. */
export interface HeldShards {
  readonly shards: readonly LiveShard[];
  /** In the same order. */
  readonly verified: readonly Verified[];
  readonly unpin: () => void;
}

export interface HoldOptions {
  readonly signal: AbortSignal | undefined;
  /** Refuses shards that do not go together, before any is verified. */
  readonly checkShards?: (shards: readonly LiveShard[]) => unknown;
}

/**
 * Holds every shard, then verifies each whole from device memory.
 * @throws VramError as `verifyShard` and `checkShards`; `INVALID_INPUT` for a shard that is named twice. None is held then.
 */
export async function holdVerified(
  worker: Worker,
  targets: readonly VerifyTarget[],
  { signal, checkShards }: HoldOptions,
): Promise<HeldShards> {
  const pinned: PinnedShard[] = [];
  const unpin = (): void => {
    for (const each of pinned) each.unpin();
  };
  try {
    for (const target of targets) {
      const next = await pinTarget(worker, target);
      const twice = pinned.some(({ shard }) => shard === next.shard);
      pinned.push(next);
      if (twice) throw invalidInput("shards", "name each shard once");
    }
    const shards = pinned.map(({ shard }) => shard);
    checkShards?.(shards);
    const verified: Verified[] = [];
    for (const shard of shards) verified.push(await verifyShard(worker, shard, signal));
    worker.lifecycle.assertReady();
    assertNotAborted(signal);
    return { shards, verified, unpin };
  } catch (error) {
    unpin();
    throw error;
  }
}
