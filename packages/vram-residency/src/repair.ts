import { setTimeout as delay } from "node:timers/promises";
import type { RepairRefused } from "vram-audit";
import { evaluatePlacement } from "vram-policy";
import type { LocatedDamage } from "./damage.js";
import { toVramError } from "./errors.js";
import { deviceQuarantined, repairRefused, shardRepaired } from "./events.js";
import type { LiveShard } from "./registry.js";
import type { Worker } from "./worker.js";

type Refusal = RepairRefused["data"]["reason"];

/**
 * Writes damaged blocks again from the source, where policy and source allow it, and tells the trail how it went. Waits for the
 * executions of the shard; meanwhile none begins, for each would be behind the verification that this is a part of.
 * @returns whether the shard is whole again
 * @throws VramError `AUDIT_UNAVAILABLE`, and the worker is stopped
 */
export async function repairShard(worker: Worker, shard: LiveShard, damage: LocatedDamage | undefined): Promise<boolean> {
  const refusal = await refusalOf(worker, shard, damage);
  const event = refusal === undefined ? shardRepaired(shard, damage?.blocks.length ?? 0) : repairRefused(shard.shardId, refusal);
  await worker.record(event);
  return refusal === undefined;
}

async function refusalOf(worker: Worker, shard: LiveShard, damage: LocatedDamage | undefined): Promise<Refusal | undefined> {
  const { reread, repairedBlocks } = shard;
  if (damage === undefined || damage.blocks.length === 0 || damage.report.blockCount > damage.blocks.length) return "damage";
  const again = damage.blocks.find((block) => repairedBlocks.has(block));
  if (again !== undefined) {
    await worker.record(deviceQuarantined(shard.statement, again));
    return "quarantine";
  }
  if (reread === undefined) return "source";
  if (!(await isIdle(shard, worker.parts.viewTimeoutMs))) return "in_use";
  shard.lifecycle.move("repairing");
  try {
    return await write(worker, shard, { blocks: damage.blocks, reread });
  } finally {
    shard.lifecycle.move("sealed");
  }
}

async function isIdle({ leases }: LiveShard, timeoutMs: number): Promise<boolean> {
  const controller = new AbortController();
  const late = delay(timeoutMs, false, { signal: controller.signal }).catch(() => false);
  try {
    return await Promise.race([leases.idle().then(() => true), late]);
  } finally {
    controller.abort();
  }
}

interface Repair {
  readonly blocks: readonly number[];
  readonly reread: NonNullable<LiveShard["reread"]>;
}

async function write(worker: Worker, shard: LiveShard, { blocks, reread }: Repair): Promise<Refusal | undefined> {
  const { allocation, statement, repairedBlocks } = shard;
  try {
    const bytes = await reread(blocks);
    await allocation.repair(blocks.map((index, position) => ({ index, bytes: bytes[position] ?? new Uint8Array() })), { digest: statement.digest });
  } catch (error) {
    const { code } = toVramError(error);
    return code === "INTEGRITY_VIOLATION" || code === "INVALID_INPUT" ? "source" : "driver";
  }
  for (const block of blocks) repairedBlocks.add(block);
  return (await isWhole(worker, shard)) ? undefined : "digest";
}

async function isWhole(worker: Worker, { allocation, statement: { gpuDevice, placement: sealed, digest: expected } }: LiveShard): Promise<boolean> {
  try {
    const { placement: facts, digest } = await allocation.inspect();
    return digest === expected && evaluatePlacement({ facts, gpuDevice, sealed }, worker.parts.policy).ok;
  } catch {
    return false;
  }
}
