import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditLog, readAuditEvents, verifyAuditLog } from "vram-audit";
import type { DriverSource, View } from "vram-cuda";
import { generate } from "vram-seal";
import type { VramError } from "../errors.js";
import { toVramError } from "../errors.js";
import type { ResidencyState } from "../lifecycle.js";
import { openResidency } from "../open-residency.js";
import type { Residency } from "../residency.js";
import type { SealedShard } from "../shard.js";
import { writeDemoModel } from "./demo-model.js";
import { chooseDriver } from "./driver-choice.js";
import type { SimulateOption } from "./driver-choice.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Interrupt } from "./interrupt.js";
import type { Output } from "./output.js";
import { progressLine } from "./progress.js";

export interface DemoOptions {
  readonly simulate?: SimulateOption;
  /** Do not allow the simulator: the policy that a production worker has. */
  readonly defaultPolicy?: boolean;
  /** Where the audit log is kept; default: a new folder for temporary files. */
  readonly audit?: string;
}

interface HostileEngine {
  tamper(view: View, target: { readonly byteOffset: number; readonly bit?: number }): void;
}

interface Tampering {
  readonly detected: boolean;
  readonly code: string | null;
}

interface Story {
  readonly backend: string;
  readonly digest: string;
  readonly verified: boolean;
  /** Null where nothing was tampered with. */
  readonly tamper: Tampering | null;
  readonly state: ResidencyState;
}

/** Tells the whole story on a small model: seal, verify, execute, a flipped bit refused, wipe, audit. */
export async function demo(options: DemoOptions, output: Output, interrupt: Interrupt): Promise<ExitCode> {
  const driver = await chooseDriver(options.simulate, output);
  const folder = await mkdtemp(join(tmpdir(), "vram-demo-"));
  const auditDir = options.audit ?? join(folder, "audit");
  const model = join(folder, "model.safetensors");
  try {
    await writeDemoModel(model);
    const residency = await openDemo(auditDir, driver, options.defaultPolicy === true);
    const story = await closing(residency, () => tellStory(residency, model, output, interrupt));
    return await tellEnd(story, auditDir, output);
  } finally {
    await rm(model, { force: true });
  }
}

async function openDemo(auditDir: string, driver: DriverSource | undefined, defaultPolicy: boolean): Promise<Residency> {
  return openResidency({
    sealKey: await generate(),
    audit: await openAuditLog({ dir: auditDir }),
    workerId: "demo",
    ...(driver === undefined ? {} : { driver }),
    ...(driver === undefined || defaultPolicy ? {} : { policy: { allowBackends: ["simulator"] } }),
  });
}

async function closing<T>(residency: Residency, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } finally {
    await residency.close();
  }
}

async function tellStory(residency: Residency, model: string, output: Output, interrupt: Interrupt): Promise<Story> {
  const { signal } = interrupt;
  const progress = progressLine();
  const shard = await residency.seal(model, {
    shardId: "demo-0",
    modelRef: "demo:two-layers",
    signal,
    onProgress: (done) => {
      progress.update(done);
    },
  });
  progress.end();
  const { backend, vramBytes, digest, gpuUuid } = shard.toJSON();
  output.say(`Backend ${backend}, device ${gpuUuid}.`);
  output.say(`Sealed ${vramBytes} bytes in device memory, mapped read-only, digest sha256:${digest}.`);

  const report = await residency.verify(shard, { signal });
  output.say(`Verified from device memory in ${report.durationMs.toFixed(1)} ms.`);

  const tensors = await residency.execute(shard, (lease) => lease.tensors.size, { signal });
  output.say(`Executed on weights verified just before (tensors: ${tensors}).`);

  const hostile = await hostileEngine();
  const tamper = hostile === undefined ? null : await tellTampering(residency, shard, { hostile, output, signal });
  if (tamper === null) output.say("Nothing was tampered with: that comes with the package vram-simulator, which is not installed.");
  const { state } = residency;
  await shard.close();
  return { backend, digest, verified: report.digest === digest, tamper, state };
}

/** Tampering is no part of production packages: it comes with the simulator's, for either backend. */
async function hostileEngine(): Promise<HostileEngine | undefined> {
  try {
    return await import("vram-simulator/tamper");
  } catch {
    return undefined;
  }
}

async function tellTampering(
  residency: Residency,
  shard: SealedShard,
  { hostile, output, signal }: { readonly hostile: HostileEngine; readonly output: Output; readonly signal: AbortSignal },
): Promise<Tampering> {
  const byteOffset = Math.floor(shard.vramBytes / 2);
  await residency.execute(
    shard,
    (lease) => {
      hostile.tamper(lease.view({ offset: 0, byteLength: shard.vramBytes }), { byteOffset, bit: 3 });
    },
    { signal },
  );
  output.say(`An engine that was handed the weights mapped them writable and flipped one bit of byte ${byteOffset}.`);
  const refusal = await refusalOf(residency, shard, signal);
  output.say(
    refusal === undefined
      ? "NOT DETECTED: the weights were executed."
      : `Refused: ${refusal.message} (${refusal.code}); the function was never called, the worker is ${residency.state}.`,
  );
  return { detected: refusal?.code === "SEAL_VERIFICATION_FAILED", code: refusal?.code ?? null };
}

async function refusalOf(residency: Residency, shard: SealedShard, signal: AbortSignal): Promise<VramError | undefined> {
  let calls = 0;
  try {
    await residency.execute(shard, () => (calls += 1), { signal });
  } catch (error) {
    const refusal = toVramError(error);
    if (refusal.code === "ABORTED") throw refusal;
    return calls === 0 ? refusal : undefined;
  }
  return undefined;
}

async function tellEnd(story: Story, auditDir: string, output: Output): Promise<ExitCode> {
  const { ok, events } = await verifyAuditLog({ dir: auditDir });
  const wiped = await lastWipe(auditDir);
  output.say(wiped ? "Wiped, checked and freed." : "NOT WIPED.");
  output.say(`Audit log: ${events} events, ${ok ? "chain and signatures hold" : "DAMAGED"}. Check it again:`);
  output.say(`  vram-residency audit verify ${auditDir}`);
  const { backend, digest, verified, tamper, state } = story;
  output.result({
    backend,
    digest,
    verified,
    tamper,
    state,
    wiped,
    audit: { events, verified: ok, dir: auditDir },
  });
  const held = tamper === null ? state === "ready" : tamper.detected && state === "stopped";
  return verified && held && wiped && ok ? EXIT.good : EXIT.failed;
}

async function lastWipe(auditDir: string): Promise<boolean> {
  let wiped = false;
  for await (const event of readAuditEvents({ dir: auditDir })) {
    if (event.type === "vram.shard.deallocated") ({ wiped } = event.data);
  }
  return wiped;
}
