import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditLog, readAuditEvents } from "vram-audit";
import type { StoredEvent } from "vram-audit";
import { generate } from "vram-seal";
import { simulator } from "vram-simulator";
import { resetSimulator } from "vram-simulator/control";
import { onTestFinished } from "vitest";
import { VramError, openResidency } from "../src/index.js";
import type { OpenResidencyOptions, Residency, SealedShard } from "../src/index.js";

/** Bytes that differ from block to block: byte i is i mod 251. */
export function patternBytes(byteLength: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: byteLength }, (_, index) => index % 251));
}

export interface Workplace {
  readonly folder: string;
  readonly auditDir: string;
  readonly residency: Residency;
  /** Every event of the trail, in order; call after `residency.close()` or at any time. */
  events(): Promise<StoredEvent[]>;
  /** Writes a model file and answers its path. */
  model(bytes: Uint8Array): Promise<string>;
}

/** A new folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "vram-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A residency on a fresh simulator with a trail of its own; closed after the test. */
export async function openWorkplace(
  options: Partial<OpenResidencyOptions> = {},
  devices: Parameters<typeof resetSimulator>[0] = {},
): Promise<Workplace> {
  resetSimulator(devices);
  const folder = await temporaryFolder();
  const auditDir = join(folder, "audit");
  const residency = await openResidency({
    sealKey: await generate(),
    audit: await openAuditLog({ dir: auditDir }),
    workerId: "worker-test",
    policy: { allowBackends: ["simulator"] },
    driver: simulator(),
    ...options,
  });
  onTestFinished(() => residency.close());
  let models = 0;
  return {
    folder,
    auditDir,
    residency,
    events: () => readEvents(auditDir),
    async model(bytes) {
      models += 1;
      const path = join(folder, `model-${models}.bin`);
      await writeFile(path, bytes);
      return path;
    },
  };
}

export async function readEvents(auditDir: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of readAuditEvents({ dir: auditDir })) events.push(event);
  return events;
}

/** The types of the trail without what the log says about itself. */
export async function eventTypes(workplace: Workplace): Promise<string[]> {
  const events = await workplace.events();
  return events.map(({ type }) => type).filter((type) => !type.startsWith("vram.audit."));
}

/** The `VramError` that a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<VramError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof VramError) return error;
    throw error;
  }
  throw new Error("expected a VramError, got a value");
}

/** The driver's id of a shard's memory, from its public statement. */
export function bufferIdOf({ seal }: SealedShard): string {
  const { placement } = JSON.parse(Buffer.from(seal.statement, "base64").toString()) as {
    placement: { bufferId: string };
  };
  return placement.bufferId;
}

/** A promise with its `resolve` outside. */
export function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let settle: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return {
    promise,
    resolve: () => {
      settle();
    },
  };
}
