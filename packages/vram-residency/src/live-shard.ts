import type { Seal, SealStatement } from "vram-seal";
import type { ModelImage } from "./model-image.js";
import { Pins } from "./pins.js";
import type { HeldMemory, LiveShard } from "./registry.js";
import { ShardLifecycle } from "./shard-lifecycle.js";
import { SharedRun } from "./shared-run.js";
import { tensorViews } from "./tensor-view.js";
import { verifyNow } from "./verify-now.js";
import type { Worker } from "./worker.js";

interface Sealed extends HeldMemory {
  readonly seal: Seal;
  readonly statement: SealStatement;
  readonly image: ModelImage;
}

/** What a worker keeps of an image that was just sealed. */
export function liveShard(worker: Worker, { image: { header, leadBytes, source }, ...sealed }: Sealed): LiveShard {
  const shard: LiveShard = {
    ...sealed,
    leadBytes,
    tensors: tensorViews(header, leadBytes),
    pins: new Pins(),
    leases: new Pins(),
    lifecycle: new ShardLifecycle(),
    verification: new SharedRun((signal) => verifyPinned(worker, shard, signal)),
    verifiedAt: sealed.statement.sealedAt,
    reread: source.reread,
    repairedBlocks: new Set(),
  };
  return shard;
}

/** Those who asked may give up before it ends. */
async function verifyPinned(worker: Worker, shard: LiveShard, signal: AbortSignal) {
  const unpin = shard.pins.take();
  try {
    return await verifyNow(worker, shard, signal);
  } finally {
    unpin();
  }
}
