import { basename } from "node:path";
import { openAuditLog } from "vram-audit";
import type { DriverSource } from "vram-cuda";
import { fromKeyFile, generate } from "vram-seal";
import type { SealKey } from "vram-seal";
import type { SealProgress } from "../options/seal-options.js";
import { openResidency } from "../open-residency.js";
import type { Residency } from "../residency.js";
import type { SealedShard } from "../shard.js";
import { chooseDriver } from "./driver-choice.js";
import type { SimulateOption } from "./driver-choice.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Interrupt } from "./interrupt.js";
import type { Output } from "./output.js";
import { progressLine } from "./progress.js";

export interface HoldOptions {
  readonly simulate?: SimulateOption;
  readonly audit: string;
  readonly key?: string;
  readonly workerId: string;
  readonly device?: string;
}

/**
 * Seals models and keeps them in device memory until a signal comes or the worker stops; then wipes them. A file that ends
 * in `.index.json` is the index of a sharded model.
 */
export async function hold(models: readonly string[], options: HoldOptions, output: Output, interrupt: Interrupt): Promise<ExitCode> {
  const residency = await open(options, await chooseDriver(options.simulate, output), output);
  const shards: SealedShard[] = [];
  const failure = await failureOf(async () => {
    interrupt.waitFor(() => `still wiping; ${residency.capacity().usedBytes} bytes of device memory are left`);
    await sealAll(residency, models, { shards, output, interrupt });
    await untilEnded(residency, interrupt);
  });
  await residency.close();
  tellEnd(residency, shards, output);
  // What a signal broke off is no failure of its own.
  if (failure !== undefined && interrupt.exitCode === undefined) throw failure;
  return EXIT.good;
}

async function open(options: HoldOptions, driver: DriverSource | undefined, output: Output): Promise<Residency> {
  const { audit, workerId, device } = options;
  return openResidency({
    sealKey: await sealKeyOf(options.key, output),
    audit: await openAuditLog({ dir: audit }),
    workerId,
    ...(device === undefined ? {} : { device: device.split(",").map((each) => (/^[0-9]+$/.test(each) ? Number(each) : each)) }),
    ...(driver === undefined ? {} : { driver, policy: { allowBackends: ["simulator"] } }),
  });
}

async function sealKeyOf(file: string | undefined, output: Output): Promise<SealKey> {
  if (file !== undefined) return fromKeyFile(file);
  output.notice("No --key: the seals are made with a random key that ends with this process.");
  return generate();
}

interface Sealing {
  readonly shards: SealedShard[];
  readonly output: Output;
  readonly interrupt: Interrupt;
}

async function sealAll(residency: Residency, models: readonly string[], { shards, output, interrupt }: Sealing): Promise<void> {
  const names = distinctNames(models);
  const progress = progressLine();
  for (const [index, model] of models.entries()) {
    const name = names[index] ?? "model";
    const options = { signal: interrupt.signal, onProgress: (done: SealProgress) => { progress.update(done); } };
    const sealed = isIndex(model)
      ? (await residency.sealSet(model, { ...options, setId: name })).shards
      : [await residency.seal(model, { ...options, shardId: name })];
    progress.end();
    shards.push(...sealed);
    for (const shard of sealed) {
      const { shardId, backend, vramBytes, digest } = shard.toJSON();
      output.say(`Sealed ${shardId}: ${vramBytes} bytes, sha256:${digest}, backend ${backend}.`);
    }
  }
  const { usedBytes, totalBytes } = residency.capacity();
  output.say(`Holding ${shards.length} shards in ${usedBytes} of ${totalBytes} bytes. SIGTERM or Ctrl-C wipes them and ends.`);
}

/** Resolves on a signal. @throws what the worker stopped for */
async function untilEnded(residency: Residency, interrupt: Interrupt): Promise<void> {
  // Neither a listener nor an unsettled promise keeps a process alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    await Promise.race([abortOf(interrupt.signal), abortOf(residency.signal)]);
  } finally {
    clearInterval(alive);
  }
  if (!interrupt.signal.aborted) throw residency.signal.reason;
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => { resolve(); }, { once: true });
  });
}

function tellEnd(residency: Residency, shards: readonly SealedShard[], output: Output): void {
  const { usedBytes } = residency.capacity();
  const wiped = usedBytes === 0;
  output.say(wiped ? `Wiped, checked and freed ${shards.length} shards.` : `NOT WIPED: ${usedBytes} bytes of device memory.`);
  output.result({ shards: shards.map((shard) => shard.toJSON()), wiped });
}

async function failureOf(run: () => Promise<void>): Promise<Error | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error("unknown failure", { cause: error });
  }
}

const isIndex = (model: string): boolean => model.endsWith(".index.json");

/** Shard ids from file names, each once. */
function distinctNames(models: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return models.map((model) => {
    const stem = basename(model).replace(/(\.safetensors\.index\.json|\.[^.]*)$/, "");
    const name = stem.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 200) || "model";
    let distinct = name;
    for (let number = 2; taken.has(distinct); number += 1) distinct = `${name}-${number}`;
    taken.add(distinct);
    return distinct;
  });
}
