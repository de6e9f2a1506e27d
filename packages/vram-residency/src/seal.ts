import type { AuditEvent } from "vram-audit";
import type { Allocation } from "vram-cuda";
import { evaluatePlacement, evaluateSeal } from "vram-policy";
import type { PolicyReport } from "vram-policy";
import type { SealStatement } from "vram-seal";
import { createSeal } from "vram-seal";
import { VramError, aborted, toVramError } from "./errors.js";
import { allocationFailed, policyViolated, sealVerificationFailed, shardSealed } from "./events.js";
import type { VerificationFailure } from "./events.js";
import { parseSealOptions } from "./options.js";
import type { ParsedSealOptions } from "./options.js";
import { Pins } from "./pins.js";
import { policyError } from "./policy-error.js";
import type { HeldMemory, LiveShard } from "./registry.js";
import { releaseMemory } from "./release.js";
import { openSource } from "./source.js";
import type { OpenSource } from "./source.js";
import type { Worker } from "./worker.js";

/** Loads a source into device memory and seals it. Any failure undoes everything and is in the audit trail. */
export async function sealModel(worker: Worker, source: unknown, rawOptions: unknown): Promise<LiveShard> {
  worker.lifecycle.assertReady();
  const options = withStopSignal(worker, parseSealOptions(rawOptions));
  const shardId = worker.registry.claim(options.shardId);
  try {
    const opened = await openSource(source);
    try {
      return await sealSource(worker, opened, shardId, options);
    } finally {
      await opened.close();
    }
  } catch (error) {
    worker.registry.free(shardId);
    throw abortedOrStopped(worker, options, error);
  }
}

/** A worker that stops or closes takes its unfinished seals along. */
function withStopSignal(worker: Worker, options: ParsedSealOptions): ParsedSealOptions & { signal: AbortSignal } {
  const { signal } = worker.lifecycle;
  return { ...options, signal: options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]) };
}

function abortedOrStopped(worker: Worker, { signal }: { signal: AbortSignal }, error: unknown): VramError {
  const failure = toVramError(error);
  if (failure.code !== "ABORTED") return failure;
  if (signal.reason === worker.lifecycle.signal.reason) {
    return new VramError("STOPPED", "the worker stopped while sealing", { cause: signal.reason });
  }
  return failure.cause === undefined ? aborted(signal.reason) : failure;
}

type SealRequest = ParsedSealOptions & { readonly signal: AbortSignal };

async function sealSource(
  worker: Worker,
  source: OpenSource,
  shardId: string,
  options: SealRequest,
): Promise<LiveShard> {
  if (source.byteLength > worker.parts.maxModelBytes) {
    throw new VramError("INVALID_INPUT", "source must not be larger than limits.maxModelBytes", {
      details: { argument: "source", byteLength: source.byteLength, maxModelBytes: worker.parts.maxModelBytes },
    });
  }
  await enforce(worker, null, evaluateSeal({ expected: options.expect }, worker.parts.policy));
  if (options.signal.aborted) throw aborted(options.signal.reason);
  const memory = await holdMemory(worker, shardId, source.byteLength, options);
  try {
    return await sealMemory(worker, memory, source, options);
  } catch (error) {
    const failure = await explain(worker, shardId, error);
    await releaseMemory(worker, memory, "undone");
    throw failure;
  }
}

/** Reserves, then allocates: the sum of live shards stays within capacity also under concurrency. */
async function holdMemory(
  worker: Worker,
  shardId: string,
  byteLength: number,
  { expect }: SealRequest,
): Promise<HeldMemory> {
  const { device, capacity } = worker.parts;
  try {
    const { freeBytes } = await device.memory();
    const reservation = capacity.reserve(device.allocatedSize(byteLength), { freeBytes });
    try {
      const allocation = await device.allocate(byteLength, { sha256: expect?.sha256 !== undefined });
      return { shardId, allocation, reservation };
    } catch (error) {
      reservation.release();
      throw error;
    }
  } catch (error) {
    throw await explain(worker, shardId, error);
  }
}

async function sealMemory(
  worker: Worker,
  memory: HeldMemory,
  source: OpenSource,
  options: SealRequest,
): Promise<LiveShard> {
  const { shardId, allocation } = memory;
  const { expect, signal } = options;
  const expectedDigest = await load(allocation, source, options);
  await allocation.freeze();
  const placement = await checkedPlacement(worker, memory);
  const digest = await allocation.digest({ signal, ...progress(options, "digest") });
  if (digest !== expectedDigest) {
    throw mismatch({ shardId, reason: expect?.fsverity === undefined ? "load" : "expect", expectedDigest, actualDigest: digest });
  }
  const statement = sealStatement(worker, memory, { digest, placement, options });
  const seal = Object.freeze(await createSeal(statement, worker.parts.sealKey));
  worker.lifecycle.assertReady();
  await worker.record(shardSealed(statement));
  const live = { ...memory, statement, seal, pins: new Pins() };
  worker.registry.add(live);
  return live;
}

/** Answers the digest that device memory must have: the expected one, or that of the bytes as they passed the host. */
async function load(allocation: Allocation, source: OpenSource, options: SealRequest): Promise<string> {
  const { expect, signal } = options;
  const firstDigest = expect === null ? await source.firstReading?.({ signal }) : undefined;
  await source.load(allocation, { signal, ...progress(options, "load") });
  const loaded = await allocation.finishLoad();
  const compare = (reason: "load" | "expect", expectedDigest: string | undefined, actualDigest: string | null): void => {
    if (expectedDigest === undefined || expectedDigest === actualDigest) return;
    throw mismatch({ reason, expectedDigest, ...(actualDigest === null ? {} : { actualDigest }) });
  };
  compare("load", firstDigest, loaded.fsverity);
  compare("expect", expect?.sha256, loaded.sha256);
  return expect?.fsverity ?? loaded.fsverity;
}

function progress({ onProgress }: SealRequest, phase: "load" | "digest") {
  if (onProgress === undefined) return {};
  return {
    onProgress: (doneBytes: number, totalBytes: number) => {
      onProgress({ phase, doneBytes, totalBytes });
    },
  };
}

async function checkedPlacement(worker: Worker, memory: HeldMemory): Promise<SealStatement["placement"]> {
  const facts = await memory.allocation.placement();
  const { policy, device } = worker.parts;
  await enforce(worker, memory.shardId, evaluatePlacement({ facts, gpuDevice: device.facts.ordinal, sealed: null }, policy));
  const { bufferId, blockId, access } = facts;
  if (bufferId === null || blockId === null || access === null || access === "none") {
    throw new VramError("POLICY_VIOLATION", "placement must be readable");
  }
  return { bufferId, blockId, access };
}

async function enforce(worker: Worker, shardId: string | null, report: PolicyReport): Promise<void> {
  if (report.ok) return;
  throw await worker.stop(policyError(report), policyViolated("seal", shardId, report));
}

function sealStatement(
  worker: Worker,
  { shardId, allocation }: HeldMemory,
  sealed: { digest: string; placement: SealStatement["placement"]; options: SealRequest },
): SealStatement {
  const { device, driverFacts, sealKey, workerId, instanceId } = worker.parts;
  return {
    v: 1,
    shardId,
    modelRef: sealed.options.modelRef,
    vramBytes: allocation.byteLength,
    digest: sealed.digest,
    digestAlgorithm: "fsverity-sha256-4096",
    gpuDevice: device.facts.ordinal,
    gpuUuid: device.facts.uuid,
    backend: driverFacts.backend,
    driverVersion: driverFacts.driverVersion,
    kernel: device.kernelSha256,
    placement: sealed.placement,
    expected: sealed.options.expect,
    workerId,
    instanceId,
    sealSequence: worker.nextSealSequence(),
    keyId: sealKey.keyId,
    keyLocked: sealKey.locked,
    sealedAt: new Date().toISOString(),
    setId: null,
    shardIndex: null,
    totalShards: null,
  };
}

function mismatch(failure: Omit<VerificationFailure, "shardId"> & { shardId?: string }): VramError {
  return new VramError("INTEGRITY_VIOLATION", `the loaded bytes are not the ${failure.reason === "expect" ? "expected" : "source's"} ones`, {
    details: { ...failure },
  });
}

/** Writes the event that the outcome table gives for a failed seal, and stops the worker where it says so. */
async function explain(worker: Worker, shardId: string, error: unknown): Promise<VramError> {
  const failure = toVramError(error);
  const { code } = failure;
  if (code === "INTEGRITY_VIOLATION") {
    return recorded(worker, failure, sealVerificationFailed(integrityFailure(shardId, failure)));
  }
  if (code === "INSUFFICIENT_VRAM" || code === "CUDA_ALLOCATION_FAILED" || code === "CUDA_FAILED") {
    return recorded(worker, failure, allocationFailed(shardId, failure));
  }
  return code === "DEVICE_LOST" || code === "STOPPED" ? worker.stop(failure) : failure;
}

async function recorded(worker: Worker, failure: VramError, event: AuditEvent): Promise<VramError> {
  try {
    await worker.record(event);
    return failure;
  } catch (cause) {
    return new VramError(failure.code, failure.message, { details: failure.details, cause });
  }
}

function integrityFailure(shardId: string, { details }: VramError): VerificationFailure {
  const { reason, expectedDigest, actualDigest } = details;
  return {
    shardId,
    reason: reason === "load" || reason === "expect" ? reason : "digest",
    ...(typeof expectedDigest === "string" ? { expectedDigest } : {}),
    ...(typeof actualDigest === "string" ? { actualDigest } : {}),
  };
}
