import { onEachDevice } from "./each-device.js";
import { assertNotAborted, invalidInput } from "./errors.js";
import type { LiveShard } from "./registry.js";
import { pinTarget } from "./verify.js";
import type { PinnedShard, Verified, VerifyReport, VerifyTarget } from "./verify.js";
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
 * Holds every shard, then verifies each, on different devices side by side.
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
    const verifyAll = () => onEachDevice(shards, (shard) => verify(shard, signal));
    let verified = await verifyAll();
    // Damage that was found meanwhile may be under repair, which waits for leases: so none is taken until all shards are good at once.
    while (shards.some(({ latest }) => latest === undefined)) verified = await verifyAll();
    for (const { leases: each } of shards) leases.push(each.take());
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
  const { verified, unpin } = await holdVerified(worker, targets, { verify: ({ verification }) => verification.alone(signal), signal });
  unpin();
  return verified.map(({ report }) => report);
}
