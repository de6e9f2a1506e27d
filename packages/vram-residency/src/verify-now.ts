import { checkAge, checkSeal } from "./check-seal.js";
import { locateDamage } from "./damage.js";
import type { LocatedDamage } from "./damage.js";
import { assertNotAborted, toVramError } from "./errors.js";
import type { VramError } from "./errors.js";
import { sealVerificationFailed, sealVerified } from "./events.js";
import type { VerificationFailure } from "./events.js";
import { refusal, refuse } from "./refusal.js";
import { readDigest } from "./read-device.js";
import type { LiveShard } from "./registry.js";
import { repairShard } from "./repair.js";
import { sealAnew } from "./seal-anew.js";
import { tracedOn } from "./telemetry/publish.js";
import type { Verified } from "./verify.js";
import type { Worker } from "./worker.js";

/**
 * Verifies a live shard: its statement and MAC, age, placement, and the digest recomputed from device memory.
 * @throws VramError `SEAL_VERIFICATION_FAILED`, and the worker is stopped, unless a repair and `policy.afterRepair` let it go on;
 * `ABORTED`; `KEY_UNAVAILABLE`.
 */
export async function verifyNow(worker: Worker, shard: LiveShard, signal: AbortSignal): Promise<Verified> {
  const startMs = performance.now();
  const { shardId, seal, statement: ours } = shard;
  // The device works while the statement is checked here.
  const found = tracedOn(shard, "digest", () => shard.allocation.inspect({ signal }));
  found.catch(() => undefined);
  const statement = await checkSeal(worker, seal, shardId);
  await checkAge(worker, shardId, statement);
  const digest = await readDigest(worker, shard, { read: () => found, signal });
  if (digest !== statement.digest) throw await refuseDamaged(worker, shard, digest);
  // Not before: what was found counts.
  assertNotAborted(signal);
  const report = {
    shardId,
    digest,
    vramBytes: statement.vramBytes,
    verifiedAt: new Date().toISOString(),
    durationMs: performance.now() - startMs,
  };
  await worker.record(sealVerified(report));
  const verified = { report, statement: ours };
  shard.latest = { verified, startedMs: startMs };
  shard.verifiedAt = report.verifiedAt;
  return verified;
}

/**
 * Memory that is not what was sealed: where, and whether it is mended. Without a repair the worker stops before that is known; one
 * that has stopped repairs nothing.
 */
async function refuseDamaged(worker: Worker, shard: LiveShard, actualDigest: string): Promise<VramError> {
  shard.latest = undefined;
  const failure: VerificationFailure = { shardId: shard.shardId, reason: "digest", expectedDigest: shard.statement.digest, actualDigest };
  const { lifecycle, parts } = worker;
  if (!parts.policy.allowRepair) lifecycle.halt();
  const damage = await locateDamage(shard);
  const found = damage === undefined ? failure : { ...failure, damage: damage.report };
  return lifecycle.state === "ready" ? refuseAndRepair(worker, shard, { failure: found, damage }) : refuse(worker, found);
}

/** The verification fails also where the shard is repaired: what was executed on it until now may have been wrong. */
async function refuseAndRepair(
  worker: Worker,
  shard: LiveShard,
  { failure, damage }: { readonly failure: VerificationFailure; readonly damage: LocatedDamage | undefined },
): Promise<VramError> {
  await worker.record(sealVerificationFailed(failure));
  const repaired = await repairShard(worker, shard, damage);
  const error = refusal({ ...failure, repaired });
  if (!repaired || worker.parts.policy.afterRepair === "stop") return worker.stop(error);
  try {
    await sealAnew(worker, shard);
    return error;
  } catch (cause) {
    return worker.stop(toVramError(cause));
  }
}
