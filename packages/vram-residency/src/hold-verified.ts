import { onEachDevice } from "./each-device.js";
import { assertNotAborted, invalidInput } from "./errors.js";
import type { LiveShard } from "./registry.js";
import { pinTarget, verifyShard } from "./verify.js";
import type { PinnedShard, Verified, VerifyReport, VerifyTarget } from "./verify.js";
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
 * Holds every shard, then verifies each whole from device memory, on different devices side by side.
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
    const verified = await onEachDevice(shards, (shard) => verifyShard(worker, shard, signal));
    worker.lifecycle.assertReady();
    assertNotAborted(signal);
    return { shards, verified, unpin };
  } catch (error) {
    unpin();
    throw error;
  }
}

/** Verifies all targets, each while all are held. @throws VramError as `holdVerified` */
export async function verifyTargets(
  worker: Worker,
  targets: readonly VerifyTarget[],
  signal: AbortSignal | undefined,
): Promise<readonly VerifyReport[]> {
  const { verified, unpin } = await holdVerified(worker, targets, { signal });
  unpin();
  return verified.map(({ report }) => report);
}
