import { createSeal } from "vram-seal";
import type { SealKey } from "vram-seal";
import { invalidInput } from "./errors.js";
import { keyRetired, keyRotated, shardResealed } from "./events.js";
import type { SealedShard } from "./shard.js";
import { pinTarget, verifyShard } from "./verify.js";
import type { Worker } from "./worker.js";

/** Lets a new key sign. It is the worker's once this resolves. */
export async function rotateKey(worker: Worker, key: SealKey): Promise<void> {
  const { keys } = worker;
  keys.assertNew(key.keyId);
  await worker.record(keyRotated(key, keys.signingId));
  worker.lifecycle.assertReady();
  keys.assertNew(key.keyId);
  keys.add(key);
}

/** Verifies a shard whole, then signs what was verified with the key of now. Its memory stays as it is. */
export async function resealShard(worker: Worker, target: SealedShard, signal: AbortSignal | undefined): Promise<void> {
  const { shard, unpin } = await pinTarget(worker, target);
  try {
    await verifyShard(worker, shard, signal);
    await worker.keys.sign(async (key) => {
      const before = shard.statement;
      const statement = {
        ...before,
        keyId: key.keyId,
        keyLocked: key.locked,
        sealSequence: worker.nextSealSequence(),
        sealedAt: new Date().toISOString(),
      };
      const seal = await createSeal(statement, key);
      worker.lifecycle.assertReady();
      await worker.record(shardResealed(statement, before));
      // Of two at once, the later one counts.
      if (statement.sealSequence > shard.statement.sealSequence) Object.assign(shard, { seal, statement });
    });
  } finally {
    unpin();
  }
}

/** Takes a key out of use and closes it. @throws VramError `INVALID_INPUT` while a live shard is sealed with it */
export async function retireKey(worker: Worker, keyId: string): Promise<void> {
  if (worker.registry.all().some(({ statement }) => statement.keyId === keyId)) {
    throw invalidInput("keyId", "not be the id of a key that a live shard is sealed with: reseal the shard or close it");
  }
  const key = worker.keys.remove(keyId);
  try {
    await worker.record(keyRetired(keyId));
  } finally {
    await key.close();
  }
}
