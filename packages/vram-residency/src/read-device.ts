import type { Inspection, PlacementFacts } from "vram-cuda";
import { evaluatePlacement } from "vram-policy";
import { aborted, toVramError } from "./errors.js";
import { refuse } from "./refusal.js";
import type { LiveShard } from "./registry.js";
import type { Worker } from "./worker.js";

/** What is read of the device for a shard; `signal` is the one that can abort it. */
export interface Reading<T> {
  readonly read: () => Promise<T>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The digest that a reading of the device found, which counts only where the policy accepts how the memory lies there.
 * @throws VramError `SEAL_VERIFICATION_FAILED`, and the worker is stopped; `ABORTED`
 */
export async function readDigest(worker: Worker, shard: LiveShard, reading: Reading<Inspection>): Promise<string> {
  const { placement, digest } = await readOrRefuse(worker, shard, reading);
  await assertPlacement(worker, shard, placement);
  if (digest !== null) return digest;
  throw await refuse(worker, { shardId: shard.shardId, reason: "placement" });
}

/** Where a shard lies now. @throws VramError as `readDigest` */
export async function verifyPlacement(worker: Worker, shard: LiveShard): Promise<void> {
  await assertPlacement(worker, shard, await readOrRefuse(worker, shard, { read: () => shard.allocation.placement() }));
}

/** A driver error that leaves a shard unverified refuses it; an abort by the caller does not. */
export async function readOrRefuse<T>(worker: Worker, { shardId }: LiveShard, { read, signal }: Reading<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (toVramError(error).code === "ABORTED") throw signal?.aborted === true ? aborted(signal.reason) : error;
    throw await refuse(worker, { shardId, reason: "driver" }, error);
  }
}

async function assertPlacement(worker: Worker, { shardId, statement }: LiveShard, facts: PlacementFacts): Promise<void> {
  const { gpuDevice, placement: sealed } = statement;
  const { ok, violations } = evaluatePlacement({ facts, gpuDevice, sealed }, worker.parts.policy);
  if (!ok) throw await refuse(worker, { shardId, reason: "placement", rules: violations.map(({ rule }) => rule) });
}
