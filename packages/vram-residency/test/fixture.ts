import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openAuditLog, readAuditEvents } from "vram-audit";
import type { AuditEvent, AuditLog, StoredEvent } from "vram-audit";
import { generate } from "vram-seal";
import type { SealKey } from "vram-seal";
import { simulator } from "vram-simulator";
import { resetSimulator, simulatorStats } from "vram-simulator/control";
import { tamper } from "vram-simulator/tamper";
import { expect, it, onTestFinished } from "vitest";
import { VramError, openResidency } from "../src/index.js";
import type { OpenResidencyOptions, Residency, SealedShard } from "../src/index.js";

export const onGpu = process.env["VRAM_TEST_BACKEND"] === "cuda";

/** What the tests run on: the simulator, or with `VRAM_TEST_BACKEND=cuda` the machine's GPU under the default policy. */
export const backend: Pick<OpenResidencyOptions, "driver"> & { readonly policy: NonNullable<OpenResidencyOptions["policy"]> } = onGpu
  ? { policy: {} }
  : { policy: { allowBackends: ["simulator"] }, driver: simulator() };

/** What shards say of it. */
export const backendName = onGpu ? "cuda" : "simulator";

/** The same for the command. */
export const commandOptions: readonly string[] = onGpu ? [] : ["--simulate"];

/** A test of what only the simulator does or tells: faults, another device, what it holds. On a GPU it is skipped. */
export const itWithFaults = it.skipIf(onGpu);

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

/** A key that does something before it makes or verifies a MAC. */
export function watchedKey(key: SealKey, before: () => unknown): SealKey {
  return {
    keyId: key.keyId,
    locked: key.locked,
    mac: async (instanceId, message) => {
      await before();
      return key.mac(instanceId, message);
    },
    verify: async (instanceId, message, mac) => {
      await before();
      return key.verify(instanceId, message, mac);
    },
    close: () => key.close(),
    [Symbol.asyncDispose]: () => key.close(),
  };
}

/** A log that shows each event before it appends it. */
export function watchedLog(log: AuditLog, see: (event: AuditEvent) => void): AuditLog {
  return Object.create(log, {
    append: {
      value: (event: AuditEvent) => {
        see(event);
        return log.append(event);
      },
    },
    head: { value: () => log.head() },
    close: { value: () => log.close() },
  }) as AuditLog;
}

/** A key that says of itself whether it is locked. */
export const lockedKey = (key: SealKey, locked: boolean): SealKey => ({ ...watchedKey(key, () => undefined), locked });

/** A new folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "vram-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes a named pipe in a folder, also where PATH names none, and answers its path. */
export function makeFifo(folder: string): string {
  const path = join(folder, "fifo");
  execFileSync("/bin/sh", ["-c", 'command -p mkfifo "$0"', path]);
  return path;
}

/** A residency with a trail of its own, closed after the test; on the simulator on a fresh machine with these devices. */
export async function openWorkplace(
  options: Partial<OpenResidencyOptions> = {},
  devices: Parameters<typeof resetSimulator>[0] = {},
): Promise<Workplace> {
  if (!onGpu) resetSimulator(devices);
  const folder = await temporaryFolder();
  const auditDir = join(folder, "audit");
  const residency = await openResidency({
    workerId: "worker-test",
    ...backend,
    ...options,
    sealKey: options.sealKey ?? (await generate()),
    audit: options.audit ?? (await openAuditLog({ dir: auditDir })),
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

/** Memory went back to the simulated device, and all of it was zeroed. A GPU does not tell. */
export function expectZeroed(): void {
  if (onGpu) return;
  const { freed } = simulatorStats();
  expect(freed.length).toBeGreaterThan(0);
  expect(freed.map(({ zeroed }) => zeroed)).not.toContain(false);
}

/** The simulated driver holds nothing any more. A GPU's does not tell. */
export function expectNothingHeld(): void {
  if (onGpu) return;
  expect(simulatorStats()).toMatchObject({ allocations: [], reservations: 0, contexts: 0, streams: 0, modules: 0, allocatedBytes: 0 });
}

/** Flips one bit of sealed memory through a view of it, as hostile native code of the same process would. */
export async function flipSealedBit(residency: Residency, shard: SealedShard, byteOffset: number): Promise<void> {
  await residency.execute(shard, (lease) => {
    tamper(lease.view({ offset: 0, byteLength: shard.vramBytes }), { byteOffset, bit: byteOffset % 8 });
  });
}

/** The events of one type. */
export async function eventsOfType(workplace: Workplace, type: string): Promise<StoredEvent[]> {
  return (await workplace.events()).filter((event) => event.type === type);
}

/** Waits for what no event tells. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(2);
}

/** The warnings of the process while an operation runs. */
export async function warningsWhile(operation: () => Promise<unknown>): Promise<Error[]> {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  await operation();
  await new Promise(setImmediate);
  process.off("warning", onWarning);
  return warnings;
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
