import { evaluateSealKey } from "vram-policy";
import type { SealKey } from "vram-seal";
import { invalidInput } from "./errors.js";
import { keyRetired, keyRotated, policyViolated } from "./events.js";
import { policyError } from "./policy-error.js";
import { sealAnew } from "./seal-anew.js";
import { assertUsable } from "./seal-keys.js";
import type { SealedShard } from "./shard.js";
import { pinTarget, verifyShard } from "./verify.js";
import type { Worker } from "./worker.js";

/** Lets a new key sign, once it has shown that it can. It is the worker's once this resolves. */
export function rotateKey(worker: Worker, key: SealKey): Promise<void> {
  const { keys, parts } = worker;
  return keys.change(async () => {
    keys.assertNew(key.keyId);
    await assertKeyAllowed(worker, key);
    await assertUsable(key, parts.instanceId);
    worker.lifecycle.assertReady();
    await worker.record(keyRotated(key, keys.signingId));
    worker.lifecycle.assertReady();
    keys.add(key);
  });
}

async function assertKeyAllowed(worker: Worker, key: SealKey): Promise<void> {
  const report = evaluateSealKey(key, worker.parts.policy);
  if (report.ok) return;
  await worker.record(policyViolated("rotate", null, report));
  throw policyError(report);
}

/** Verifies a shard whole, then signs what was verified with the key of now. Its memory stays as it is. */
export async function resealShard(worker: Worker, target: SealedShard, signal: AbortSignal | undefined): Promise<void> {
  const { shard, unpin } = await pinTarget(worker, target);
  try {
    await verifyShard(shard, signal);
    await sealAnew(worker, shard);
  } finally {
    unpin();
  }
}

/** Takes a key out of use and closes it. @throws VramError `INVALID_INPUT` while a shard is sealed with it */
export function retireKey(worker: Worker, keyId: string): Promise<void> {
  return worker.keys.change(async () => {
    worker.lifecycle.assertReady();
    if (worker.registry.allHeld().some(({ statement }) => statement.keyId === keyId)) {
      throw invalidInput("keyId", "not be the id of a key that a shard is sealed with: reseal the shard or close it");
    }
    const key = worker.keys.remove(keyId);
    try {
      await worker.record(keyRetired(keyId));
    } finally {
      await key.close();
    }
  });
}
