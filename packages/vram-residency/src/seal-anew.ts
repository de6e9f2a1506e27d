import { createSeal } from "vram-seal";
import type { SealKey, SealStatement } from "vram-seal";
import { shardResealed } from "./events.js";
import type { LiveShard } from "./registry.js";
import type { Worker } from "./worker.js";

/** Gives a shard a new seal over what its old one says. */
export function sealAnew(worker: Worker, shard: LiveShard): Promise<void> {
  return worker.keys.change(() => worker.keys.sign((key) => signAnew(worker, shard, key)));
}

async function signAnew(worker: Worker, shard: LiveShard, key: SealKey): Promise<void> {
  const before = shard.statement;
  const statement: SealStatement = {
    ...before,
    keyId: key.keyId,
    keyLocked: key.locked,
    sealSequence: worker.nextSealSequence(),
    sealedAt: new Date().toISOString(),
  };
  const seal = await createSeal(statement, key);
  worker.lifecycle.assertReady();
  await worker.record(shardResealed(statement, before));
  Object.assign(shard, { seal, statement });
}
