import { assertNotAborted, invalidInput } from "./errors.js";
import type { LiveShard } from "./registry.js";
import { pinTarget } from "./verify.js";
import type { PinnedShard, Verified, VerifyTarget } from "./verify.js";
import type { Worker } from "./worker.js";

/** Verifies one shard: `verifyShard`, or what is enough for the purpose. */
export type Verify = (shard: LiveShard, signal: AbortSignal | undefined) => Promise<Verified>;

/** Shards that were verified, and that can be neither released nor repaired until `unpin` is called. */
export interface HeldShards {
  readonly shards: readonly LiveShard[];
  /** In the same order. */
  readonly verified: readonly Verified[];
  readonly unpin: () => void;
}

export interface HoldOptions {
  readonly verify: Verify;
  /** Refuses shards that do not go together, before any is verified. */
  readonly checkShards?: (shards: readonly LiveShard[]) => unknown;
  readonly signal: AbortSignal | undefined;
}

/**
 * Holds every shard and verifies each.
 * @throws VramError as `verify` and `checkShards`; `INVALID_INPUT` for a shard that is named twice. None is held then.
 */
export async function holdVerified(
  worker: Worker,
  targets: readonly VerifyTarget[],
  { verify, checkShards, signal }: HoldOptions,
): Promise<HeldShards> {
  const pinned: PinnedShard[] = [];
  const leases: (() => void)[] = [];
  const unpin = (): void => {
    for (const end of leases) end();
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
    const verified = new Map<LiveShard, Verified>();
    // In one order for all: a repair waits for the leases of its shard, which must not wait for the repair of another in turn.
    for (const shard of byShardId(shards)) {
      verified.set(shard, await verify(shard, signal));
      leases.push(shard.leases.take());
    }
    worker.lifecycle.assertReady();
    assertNotAborted(signal);
    return { shards, verified: shards.flatMap((shard) => verified.get(shard) ?? []), unpin };
  } catch (error) {
    unpin();
    throw error;
  }
}

function byShardId(shards: readonly LiveShard[]): readonly LiveShard[] {
  return [...shards].sort((a, b) => (a.shardId < b.shardId ? -1 : 1));
}
