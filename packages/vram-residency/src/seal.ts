import { evaluateSeal } from "vram-policy";
import { createSeal } from "vram-seal";
import type { SealKey, SealStatement } from "vram-seal";
import type { Approval } from "./approval.js";
import { VramError, aborted, assertNotAborted, toVramError } from "./errors.js";
import { shardSealed } from "./events.js";
import { onEachDevice } from "./each-device.js";
import type { HostDevice } from "./host-device.js";
import { openModelImage } from "./model-image.js";
import type { ModelImage } from "./model-image.js";
import type { ModelFormat, ModelHeader } from "./model/header.js";
import type { SealProgress, Staging } from "./options/seal-options.js";
import { liveShard } from "./live-shard.js";
import { enforceAtSeal, hostDigests, placeImage } from "./place-image.js";
import type { PlacedImage } from "./place-image.js";
import type { HeldMemory, LiveShard } from "./registry.js";
import { releaseMemory } from "./release.js";
import { assertSetDigest, explainSealFailure } from "./seal-failure.js";
import { fileNameOf } from "./source/file-source.js";
import { tracedOn } from "./telemetry/publish.js";
import type { Worker } from "./worker.js";

/** One file of what is sealed together. */
export interface Part {
  readonly source: unknown;
  readonly host: HostDevice;
  readonly shardId?: string | undefined;
  readonly approval: Approval | null;
  readonly format?: ModelFormat | undefined;
}

export interface SealRequest {
  readonly parts: readonly Part[];
  readonly modelRef: string | null;
  /** Null for a model of one file. */
  readonly setId: string | null;
  /** The set digest that was approved. */
  readonly expectSet?: string | undefined;
  /** Refuses headers that do not belong together, before any memory is held. */
  readonly checkHeaders?: (headers: readonly ModelHeader[]) => void;
  readonly staging: Staging;
  readonly onProgress?: ((progress: SealProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Request extends SealRequest {
  readonly signal: AbortSignal;
  /** Ends what runs for other parts; `signal` follows it. */
  readonly failure: AbortController;
}

/** A part on its way to a seal: its header is read, its memory not held yet. */
interface Candidate {
  readonly expected: SealStatement["expected"];
  readonly shardId: string;
  readonly host: HostDevice;
  readonly image: ModelImage;
}

interface Load {
  readonly host: HostDevice;
  readonly candidate: Candidate;
  readonly memory: HeldMemory;
}

interface Placed extends Pick<Load, "candidate" | "memory"> {
  readonly placed: PlacedImage;
}

interface Signing {
  readonly key: SealKey;
  /** Of the part among all. */
  readonly index: number;
  readonly request: Request;
}

/** Loads every part into device memory and seals it, or none. Any failure undoes everything and is in the audit trail. */
export async function sealParts(worker: Worker, given: SealRequest): Promise<readonly LiveShard[]> {
  worker.lifecycle.assertReady();
  const request = withStopSignal(worker, given);
  const ended = worker.sealing.take();
  const claimed: string[] = [];
  try {
    for (const { shardId } of request.parts) claimed.push(worker.registry.claim(shardId));
    return await openAndSeal(worker, claimed, request);
  } catch (error) {
    for (const shardId of claimed) worker.registry.free(shardId);
    throw abortedOrStopped(worker, request, error);
  } finally {
    ended();
  }
}

/** A worker that stops or closes takes its unfinished seals along, a part that fails the others. */
function withStopSignal(worker: Worker, request: SealRequest): Request {
  const failure = new AbortController();
  const signals = [worker.lifecycle.signal, failure.signal, ...(request.signal === undefined ? [] : [request.signal])];
  return { ...request, failure, signal: AbortSignal.any(signals) };
}

function abortedOrStopped(worker: Worker, { signal }: Request, error: unknown): VramError {
  const failure = toVramError(error);
  if (failure.code !== "ABORTED") return failure;
  if (signal.reason === worker.lifecycle.signal.reason) {
    return new VramError("STOPPED", "the worker stopped while sealing", { cause: signal.reason });
  }
  return failure.cause === undefined ? aborted(signal.reason) : failure;
}

async function openAndSeal(worker: Worker, shardIds: readonly string[], request: Request): Promise<readonly LiveShard[]> {
  const candidates: Candidate[] = [];
  try {
    for (const [index, shardId] of shardIds.entries()) {
      const part = request.parts[index];
      if (part !== undefined) candidates.push(await openCandidate(worker, shardId, part, request.signal));
    }
    request.checkHeaders?.(candidates.map(({ image }) => image.header));
    for (const { expected } of candidates) {
      await enforceAtSeal(worker, null, evaluateSeal({ expected, staging: request.staging }, worker.parts.policy));
    }
    assertNotAborted(request.signal);
    return await sealCandidates(worker, candidates, request);
  } finally {
    for (const { image } of candidates) await image.source.close();
  }
}

async function openCandidate(worker: Worker, shardId: string, part: Part, signal: AbortSignal): Promise<Candidate> {
  try {
    const expected = part.approval === null ? null : part.approval(fileNameOf(part.source));
    const image = await openModelImage(part.source, { format: part.format, maxBytes: worker.parts.maxModelBytes, signal });
    return { expected, shardId, host: part.host, image };
  } catch (error) {
    throw await explainSealFailure(worker, shardId, error);
  }
}

async function sealCandidates(worker: Worker, candidates: readonly Candidate[], request: Request): Promise<readonly LiveShard[]> {
  const loads: Load[] = [];
  try {
    for (const candidate of candidates) {
      const memory = await attempt(worker, candidate, () => holdMemory(candidate, request.staging));
      loads.push({ host: candidate.host, candidate, memory });
    }
    const progress = progressOf(candidates, request);
    const placed = await onEachDevice(loads, async ({ candidate, memory }, index): Promise<Placed> => {
      const options = { expect: candidate.expected, signal: request.signal, onProgress: progress(index) };
      return { candidate, memory, placed: await attempt(worker, candidate, () => placeImage(worker, memory, candidate.image, options)) };
    }, request.failure);
    await assertSetDigest(worker, request.expectSet, placed.map((each) => each.placed.digest));
    return await worker.keys.sign(async (key) => {
      const live: LiveShard[] = [];
      for (const each of placed) live.push(await attempt(worker, each.candidate, () => sign(worker, each, { key, index: live.length, request })));
      for (const shard of live) worker.registry.add(shard);
      return live;
    });
  } catch (error) {
    await onEachDevice(loads, ({ memory }) => releaseMemory(worker, memory, "undone"));
    throw error;
  }
}

async function attempt<T>(worker: Worker, { shardId }: Candidate, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw await explainSealFailure(worker, shardId, error);
  }
}

/** Reserves, then allocates: the sum of live shards stays within capacity also under concurrency. */
async function holdMemory({ shardId, host, expected, image }: Candidate, staging: Staging): Promise<HeldMemory> {
  const { device, capacity } = host;
  const { source, leadBytes } = image;
  const { freeBytes } = await device.memory();
  const reservation = capacity.reserve(device.allocatedSize(source.byteLength, leadBytes), { freeBytes });
  try {
    const allocation = await device.allocate(source.byteLength, { leadBytes, staging, ...hostDigests(expected) });
    return { shardId, host, allocation, reservation };
  } catch (error) {
    reservation.release();
    throw error;
  }
}

/** Counts the bytes of all parts as one. */
function progressOf(candidates: readonly Candidate[], { onProgress }: Request) {
  const sum = (list: readonly number[]): number => list.reduce((total, each) => total + each, 0);
  const totalBytes = sum(candidates.map(({ image }) => image.source.byteLength));
  const none = candidates.map(() => 0);
  const done = { load: [...none], digest: [...none] };
  return (index: number) => (phase: SealProgress["phase"], doneBytes: number): void => {
    done[phase][index] = doneBytes;
    onProgress?.({ phase, doneBytes: sum(done[phase]), totalBytes });
  };
}

async function sign(
  worker: Worker,
  { candidate, memory, placed }: Placed,
  by: Signing,
): Promise<LiveShard> {
  const statement = sealStatement(worker, { candidate, memory, placed }, by);
  const seal = await tracedOn(memory, "sign", () => createSeal(statement, by.key));
  worker.lifecycle.assertReady();
  await worker.record(shardSealed(statement));
  return liveShard(worker, { ...memory, statement, seal, image: candidate.image });
}

function sealStatement(
  worker: Worker,
  { candidate, memory, placed }: Placed,
  { key, index, request: { setId, modelRef, parts } }: Signing,
): SealStatement {
  const { driverFacts, workerId, instanceId } = worker.parts;
  const { facts, kernelSha256 } = memory.host.device;
  return {
    v: 1,
    shardId: memory.shardId,
    modelRef,
    vramBytes: memory.allocation.byteLength,
    digest: placed.digest,
    digestAlgorithm: "fsverity-sha256-4096",
    gpuDevice: facts.ordinal,
    gpuUuid: facts.uuid,
    backend: driverFacts.backend,
    driverVersion: driverFacts.driverVersion,
    kernel: kernelSha256,
    placement: placed.placement,
    expected: candidate.expected,
    workerId,
    instanceId,
    sealSequence: worker.nextSealSequence(),
    keyId: key.keyId,
    keyLocked: key.locked,
    sealedAt: new Date().toISOString(),
    setId,
    shardIndex: setId === null ? null : index,
    totalShards: setId === null ? null : parts.length,
  };
}
