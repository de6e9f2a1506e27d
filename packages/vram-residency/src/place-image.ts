import { evaluatePlacement } from "vram-policy";
import type { PolicyReport } from "vram-policy";
import type { SealStatement } from "vram-seal";
import { VramError } from "./errors.js";
import { policyViolated } from "./events.js";
import type { ModelImage } from "./model-image.js";
import type { SealProgress } from "./options.js";
import { policyError } from "./policy-error.js";
import type { HeldMemory } from "./registry.js";
import { mismatch } from "./seal-failure.js";
import type { Worker } from "./worker.js";

/** What was established about an image in device memory. */
export interface PlacedImage {
  readonly digest: string;
  readonly placement: SealStatement["placement"];
}

export interface PlaceOptions {
  readonly expect: SealStatement["expected"];
  readonly signal: AbortSignal;
  readonly onProgress: (phase: SealProgress["phase"], doneBytes: number) => void;
}

/** Loads an image, maps it read-only, checks where it lies, and digests it there. */
export async function placeImage(
  worker: Worker,
  memory: HeldMemory,
  image: ModelImage,
  options: PlaceOptions,
): Promise<PlacedImage> {
  const { allocation } = memory;
  const { signal, onProgress } = options;
  const loadedDigest = await load(memory, image, options);
  await allocation.freeze();
  const placement = await checkedPlacement(worker, memory);
  const digest = await allocation.digest({ signal, onProgress: (doneBytes) => { onProgress("digest", doneBytes); } });
  if (digest !== loadedDigest) {
    throw mismatch({ reason: "load", expectedDigest: loadedDigest, actualDigest: digest });
  }
  return { digest, placement };
}

/** Answers the digest of the bytes as they passed the host, which is the expected one: device memory must have it. */
async function load({ allocation }: HeldMemory, { source, header }: ModelImage, options: PlaceOptions): Promise<string> {
  const { expect, signal, onProgress } = options;
  const firstDigest = expect === null ? await source.firstReading?.({ signal }) : undefined;
  await source.load(allocation, header.head, { signal, onProgress: (doneBytes) => { onProgress("load", doneBytes); } });
  const loaded = await allocation.finishLoad();
  const compare = (reason: "load" | "expect", expectedDigest: string | undefined, actualDigest: string | null): void => {
    if (expectedDigest === undefined || expectedDigest === actualDigest) return;
    throw mismatch({ reason, expectedDigest, ...(actualDigest === null ? {} : { actualDigest }) });
  };
  compare("load", firstDigest, loaded.fsverity);
  compare("expect", expect?.sha256, loaded.sha256);
  compare("expect", expect?.fsverity, loaded.fsverity);
  return loaded.fsverity;
}

async function checkedPlacement(worker: Worker, { shardId, allocation }: HeldMemory): Promise<SealStatement["placement"]> {
  const facts = await allocation.placement();
  const { policy, device } = worker.parts;
  await enforceAtSeal(worker, shardId, evaluatePlacement({ facts, gpuDevice: device.facts.ordinal, sealed: null }, policy));
  const { bufferId, blockId, access } = facts;
  if (bufferId === null || blockId === null || access === null || access === "none") {
    throw new VramError("POLICY_VIOLATION", "placement must be readable");
  }
  return { bufferId, blockId, access };
}

/** @throws VramError `POLICY_VIOLATION` for a report with violations, and the worker is stopped. */
export async function enforceAtSeal(worker: Worker, shardId: string | null, report: PolicyReport): Promise<void> {
  if (report.ok) return;
  throw await worker.stop(policyError(report), policyViolated("seal", shardId, report));
}
