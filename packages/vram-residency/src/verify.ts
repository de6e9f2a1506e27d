import type { Seal, SealStatement } from "vram-seal";
import { canonicalize } from "vram-seal";
import { checkSeal } from "./check-seal.js";
import { VramError, invalidInput } from "./errors.js";
import { refuse } from "./refusal.js";
import type { LiveShard } from "./registry.js";
import { SealedShard } from "./shard.js";
import { tracedOn } from "./telemetry/publish.js";
import type { Worker } from "./worker.js";

/** A shard of this residency, or a seal that somebody presents, which is untrusted. */
export type VerifyTarget = SealedShard | Seal;

/** What a verification established. `durationMs` in milliseconds. */
export interface VerifyReport {
  readonly shardId: string;
  readonly digest: string;
  readonly vramBytes: number;
  readonly verifiedAt: string;
  readonly durationMs: number;
}

/** A live shard that cannot be released until `unpin` is called. */
export interface PinnedShard {
  readonly shard: LiveShard;
  readonly unpin: () => void;
}

/**
 * Finds the live shard that a target stands for and holds it. A seal is checked first: shape, MAC, statement, instance,
 * liveness.
 * @throws VramError `SEAL_VERIFICATION_FAILED`, and the worker is stopped; `NOT_SEALED` or `INVALID_INPUT` for a handle
 * that is closed or not of this residency.
 */
export async function pinTarget(worker: Worker, target: VerifyTarget): Promise<PinnedShard> {
  return SealedShard.is(target) ? pin(ownShard(worker, target)) : presentedShard(worker, target);
}

/** In the same turn in which the shard was found: a release may begin in the next. */
function pin(shard: LiveShard): PinnedShard {
  return { shard, unpin: shard.pins.take() };
}

/** A verification, with the worker's own copy of the statement that was verified: a shard may be sealed anew meanwhile. */
export interface Verified {
  readonly report: VerifyReport;
  readonly statement: SealStatement;
}

/** Verifies a target whole. @throws VramError as `pinTarget` and `verifyShard`. */
export async function verifyTarget(
  worker: Worker,
  target: VerifyTarget,
  signal: AbortSignal | undefined,
): Promise<VerifyReport> {
  return verifyPinned(worker, target, async ({ verification }) => (await verification.alone(signal)).report);
}

/** Holds the shard that a target stands for while it is verified. */
export async function verifyPinned<T>(worker: Worker, target: VerifyTarget, verify: (shard: LiveShard) => Promise<T>): Promise<T> {
  const { shard, unpin } = await pinTarget(worker, target);
  try {
    return await verify(shard);
  } finally {
    unpin();
  }
}

async function presentedShard(worker: Worker, seal: unknown): Promise<PinnedShard> {
  if (typeof seal !== "object" || seal === null) throw invalidInput("shard", "be a sealed shard or a seal");
  const statement = await checkSeal(worker, seal, null);
  const live = worker.registry.find(statement.shardId);
  if (live?.statement.sealSequence !== statement.sealSequence) {
    throw await refuse(worker, { shardId: statement.shardId, reason: "unknown_shard" });
  }
  // Whoever holds the key can sign another statement under the same sequence number.
  if (canonicalize(live.statement) === canonicalize(statement)) return pin(live);
  throw await refuse(worker, { shardId: statement.shardId, reason: "statement" });
}

function ownShard(worker: Worker, shard: SealedShard): LiveShard {
  const live = worker.registry.find(shard.shardId);
  if (live?.seal === shard.seal) return live;
  if (!shard.sealed) throw new VramError("NOT_SEALED", "the shard was released; seal it again");
  throw invalidInput("shard", "be a shard of this residency");
}

/**
 * Verifies a live shard whole, and holds it until then. Who asks before a verification begins shares it.
 * @throws VramError as `verifyNow`
 */
export async function verifyShard(shard: LiveShard, signal: AbortSignal | undefined): Promise<Verified> {
  const unpin = shard.pins.take();
  try {
    return await tracedOn(shard, "verify", () => shard.verification.join(signal));
  } finally {
    unpin();
  }
}

/**
 * What a verification of not more than `policy.maxVerificationAgeMs` ago established, or a new one does.
 * @throws VramError as `verifyNow`
 */
export function verifyRecently(worker: Worker, shard: LiveShard, signal: AbortSignal | undefined): Promise<Verified> {
  const { latest } = shard;
  const isRecent = latest !== undefined && performance.now() - latest.startedMs < worker.parts.policy.maxVerificationAgeMs;
  return isRecent ? Promise.resolve(latest.verified) : verifyShard(shard, signal);
}
