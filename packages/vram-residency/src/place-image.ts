import { evaluatePlacement } from "vram-policy";
import type { PolicyReport } from "vram-policy";
import type { SealStatement } from "vram-seal";
import { VramError } from "./errors.js";
import { policyViolated } from "./events.js";
import type { ModelImage } from "./model-image.js";
import type { SealProgress } from "./options/seal-options.js";
import { policyError } from "./policy-error.js";
import type { HeldMemory } from "./registry.js";
import { mismatch } from "./seal-failure.js";
import { tracedOn } from "./telemetry/publish.js";
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
  const { expect, signal, onProgress } = options;
  const loadedDigest = await tracedOn(memory, "load", () => load(memory, image, options));
  await tracedOn(memory, "freeze", () => allocation.freeze());
  const placement = await checkedPlacement(worker, memory);
  const digest = await tracedOn(memory, "digest", () =>
    allocation.digest({ signal, keepTree: true, onProgress: (doneBytes) => { onProgress("digest", doneBytes); } }),
  );
  compare("load", loadedDigest, digest);
  compare("expect", expect?.fsverity, digest);
  compare("load", image.source.measuredDigest, digest);
  return { digest, placement };
}

/**
 * Which digests of the bytes are taken as they pass the host. An expected fs-verity digest is compared with device memory
 * alone, which covers file and transfer at once; a flat one is not known of device memory, so the host ties the two together.
 */
export function hostDigests(expect: SealStatement["expected"]): { readonly fsverity: boolean; readonly sha256: boolean } {
  return { fsverity: expect?.fsverity === undefined || expect.sha256 !== undefined, sha256: expect?.sha256 !== undefined };
}

/** Answers the fs-verity digest of the bytes as they passed the host, where it was taken: device memory must have it. */
async function load({ allocation }: HeldMemory, { source, header }: ModelImage, options: PlaceOptions): Promise<string | undefined> {
  const { expect, signal, onProgress } = options;
  const firstDigest = expect === null ? await source.firstReading?.({ signal }) : undefined;
  await source.load(allocation, header.head, { signal, onProgress: (doneBytes) => { onProgress("load", doneBytes); } });
  const { fsverity, sha256 } = await allocation.finishLoad();
  compare("expect", expect?.sha256, sha256);
  if (fsverity === null) return undefined;
  compare("load", firstDigest, fsverity);
  compare("expect", expect?.fsverity, fsverity);
  return fsverity;
}

function compare(reason: "load" | "expect", expectedDigest: string | undefined, actualDigest: string | null): void {
  if (expectedDigest === undefined || expectedDigest === actualDigest) return;
  throw mismatch({ reason, expectedDigest, ...(actualDigest === null ? {} : { actualDigest }) });
}

async function checkedPlacement(worker: Worker, { shardId, host, allocation }: HeldMemory): Promise<SealStatement["placement"]> {
  const facts = await allocation.placement();
  const gpuDevice = host.device.facts.ordinal;
  await enforceAtSeal(worker, shardId, evaluatePlacement({ facts, gpuDevice, sealed: null }, worker.parts.policy));
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
