import { evaluatePlacement } from "vram-policy";
import type { PolicyReport } from "vram-policy";
import type { Seal, SealStatement } from "vram-seal";
import { assertSealAge, canonicalize, verifySeal } from "vram-seal";
import { VramError, aborted, assertNotAborted, invalidInput, toVramError } from "./errors.js";
import { sealVerificationFailed, sealVerified } from "./events.js";
import type { VerificationFailure } from "./events.js";
import type { LiveShard } from "./registry.js";
import { SealedShard } from "./shard.js";
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
  const shard = SealedShard.is(target) ? ownShard(worker, target) : await presentedShard(worker, target);
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
  const { shard, unpin } = await pinTarget(worker, target);
  try {
    return (await verifyShard(worker, shard, signal)).report;
  } finally {
    unpin();
  }
}

async function presentedShard(worker: Worker, seal: unknown): Promise<LiveShard> {
  if (typeof seal !== "object" || seal === null) throw invalidInput("shard", "be a sealed shard or a seal");
  const statement = await checkSeal(worker, seal, null);
  const live = worker.registry.find(statement.shardId);
  if (live?.statement.sealSequence !== statement.sealSequence) {
    throw await refuse(worker, { shardId: statement.shardId, reason: "unknown_shard" });
  }
  // Whoever holds the key can sign another statement under the same sequence number.
  if (canonicalize(live.statement) === canonicalize(statement)) return live;
  throw await refuse(worker, { shardId: statement.shardId, reason: "statement" });
}

function ownShard(worker: Worker, shard: SealedShard): LiveShard {
  const live = worker.registry.find(shard.shardId);
  if (live?.seal === shard.seal) return live;
  if (!shard.sealed) throw new VramError("NOT_SEALED", "the shard was released; seal it again");
  throw invalidInput("shard", "be a shard of this residency");
}

/**
 * Verifies a live shard whole: its statement and MAC, age, placement, and the digest recomputed from device memory.
 * @throws VramError `SEAL_VERIFICATION_FAILED`, and the worker is stopped; `ABORTED`; `KEY_UNAVAILABLE`.
 */
export async function verifyShard(
  worker: Worker,
  shard: LiveShard,
  signal: AbortSignal | undefined,
): Promise<Verified> {
  assertNotAborted(signal);
  const startMs = performance.now();
  const { shardId, seal, statement: ours } = shard;
  // The device works while the statement is checked here.
  const found = readDevice(worker, shard, signal);
  found.catch(() => undefined);
  const statement = await checkSeal(worker, seal, shardId);
  await checkAge(worker, shardId, statement);
  const digest = await digestOf(worker, shardId, found);
  if (digest !== statement.digest) {
    throw await refuse(worker, {
      shardId,
      reason: "digest",
      expectedDigest: statement.digest,
      actualDigest: digest,
    });
  }
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
  return { report, statement: ours };
}

async function checkSeal(worker: Worker, seal: unknown, shardId: string | null): Promise<SealStatement> {
  const { instanceId } = worker.parts;
  try {
    return await verifySeal(seal, { key: worker.keys.all(), instanceId });
  } catch (error) {
    const failure = toVramError(error);
    if (failure.code !== "SEAL_VERIFICATION_FAILED") throw failure;
    throw await refuse(worker, { shardId, reason: sealReason(failure) }, error);
  }
}

function sealReason({ details }: VramError): VerificationFailure["reason"] {
  const reason = details["reason"];
  return reason === "mac" || reason === "statement" || reason === "instance" ? reason : "shape";
}

async function checkAge(worker: Worker, shardId: string, statement: SealStatement): Promise<void> {
  const { maxSealAgeMs } = worker.parts.policy;
  if (maxSealAgeMs === null) return;
  try {
    assertSealAge(statement, { maxAgeMs: maxSealAgeMs, nowMs: Date.now() });
  } catch (error) {
    throw await refuse(worker, { shardId, reason: "age" }, error);
  }
}

/** What the device says of a shard: its digest from device memory, which counts only where the policy accepts how it lies there. */
type Found = { readonly digest: string } | { readonly violations: PolicyReport["violations"] };

async function readDevice(worker: Worker, { allocation, statement }: LiveShard, signal: AbortSignal | undefined): Promise<Found> {
  const { gpuDevice, placement: sealed } = statement;
  try {
    const { placement: facts, digest } = await allocation.inspect(signal === undefined ? {} : { signal });
    const { ok, violations } = evaluatePlacement({ facts, gpuDevice, sealed }, worker.parts.policy);
    return ok && digest !== null ? { digest } : { violations };
  } catch (error) {
    throw signal?.aborted === true && toVramError(error).code === "ABORTED" ? aborted(signal.reason) : error;
  }
}

async function digestOf(worker: Worker, shardId: string, found: Promise<Found>): Promise<string> {
  const told = await orRefuse(worker, shardId, () => found);
  if ("digest" in told) return told.digest;
  throw await refuse(worker, { shardId, reason: "placement", rules: told.violations.map(({ rule }) => rule) });
}

/** A driver error that leaves a shard unverified refuses it; an abort by the caller does not. */
async function orRefuse<T>(worker: Worker, shardId: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (toVramError(error).code === "ABORTED") throw error;
    throw await refuse(worker, { shardId, reason: "driver" }, error);
  }
}

async function refuse(worker: Worker, failure: VerificationFailure, cause?: unknown): Promise<VramError> {
  const error = new VramError("SEAL_VERIFICATION_FAILED", `seal verification failed: ${failure.reason}`, {
    details: { ...failure },
    ...(cause === undefined ? {} : { cause }),
  });
  return worker.stop(error, sealVerificationFailed(failure));
}
