import { toVramError } from "./errors.js";
import { shardDeallocated } from "./events.js";
import type { HeldMemory, LiveShard } from "./registry.js";
import { tracedOn } from "./telemetry/publish.js";
import type { Worker } from "./worker.js";

/** Why memory is given back: its shard was closed, a seal was undone, or the residency was closed. */
export type ReleaseCause = "released" | "undone" | "closed";

/**
 * Wipes, checks and frees held memory and writes that into the trail. Never throws: memory that could not be wiped and
 * given back stays counted, and it or a failed audit stops the worker.
 */
export async function releaseMemory(worker: Worker, memory: HeldMemory, cause: ReleaseCause): Promise<void> {
  const report = await tracedOn(memory, "release", () => memory.allocation.release({ viewTimeoutMs: worker.parts.viewTimeoutMs }));
  if (report.wiped && report.freed) memory.reservation.release();
  const event = shardDeallocated(memory, report, cause);
  if (!report.wiped || !report.freed) {
    await worker.stop(toVramError(report.cause), event);
    return;
  }
  try {
    await worker.record(event);
  } catch {
    // The worker is stopped, and its signal carries the reason.
  }
}

/** Ends a sealed shard: from now on it verifies no more; its memory goes when the last execution of it has ended. */
export function releaseShard(worker: Worker, shard: LiveShard, cause: ReleaseCause): Promise<void> {
  shard.released ??= release(worker, shard, cause);
  return shard.released;
}

async function release(worker: Worker, shard: LiveShard, cause: ReleaseCause): Promise<void> {
  worker.registry.remove(shard);
  await shard.pins.idle();
  shard.lifecycle.move("releasing");
  await releaseMemory(worker, shard, cause);
  shard.lifecycle.move("released");
  worker.registry.free(shard.shardId);
}
