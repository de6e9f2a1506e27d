// Scenes of processes and worker threads that end with memory on the device. Each prints what was left.
import { closeSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker, parentPort } from "node:worker_threads";
import { openDriver } from "vram-cuda";
import { simulator } from "vram-simulator";
import { failCall, simulatorStats } from "vram-simulator/control";

const MIB = 1024 * 1024;

function report(more = {}) {
  const { allocatedBytes, reservations, contexts, streams, modules, freed } = simulatorStats();
  const outcome = { footprint: { allocatedBytes, reservations, contexts, streams, modules }, zeroed: freed.map(({ zeroed }) => zeroed), ...more };
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

async function loaded(device, byteLength = 5000) {
  const allocation = await device.allocate(byteLength);
  await allocation.append(new Uint8Array(byteLength).fill(0x77));
  await allocation.finishLoad();
  await allocation.freeze();
  return allocation;
}

async function loadForgotten(device) {
  await loaded(device);
}

async function collectUntil(done) {
  for (let turn = 0; turn < 500 && !done(); turn += 1) {
    globalThis.gc();
    await sleep(5);
  }
}

const scenes = {
  async exit(device) {
    await loaded(device);
    const path = join(tmpdir(), `vram-cuda-exit-${process.pid}`);
    writeFileSync(path, new Uint8Array(64 * MIB).fill(0x77));
    const fd = openSync(path, "r");
    unlinkSync(path);
    const loading = await device.allocate(64 * MIB);
    loading.appendFile(fd, 64 * MIB).catch(() => {});
    closeSync(fd);
    await sleep(20);
    process.on("exit", () => report());
    process.exit(0);
  },
  async end(device) {
    await loaded(device);
    process.on("exit", () => report());
  },
  async throw(device) {
    await loaded(device);
    process.on("exit", () => report());
    process.on("uncaughtException", () => {
      process.exitCode = 7;
      process.exit();
    });
    throw new Error("uncaught");
  },
  async worker(device) {
    await loaded(device);
    const worker = new Worker(new URL(import.meta.url), { argv: ["in-worker"] });
    await new Promise((resolve) => worker.once("message", resolve));
    await worker.terminate();
    report();
  },
  async "terminate-often"(device) {
    for (let round = 0; round < 8; round += 1) {
      const worker = new Worker(new URL(import.meta.url), { argv: ["settling"] });
      await new Promise((resolve) => worker.once("message", resolve));
      await sleep(round / 2);
      await worker.terminate();
    }
    await device.close();
    report();
  },
  /** Operations that end all the time: one is being told to JavaScript at almost any moment. */
  async settling(device) {
    const allocations = await Promise.all(Array.from({ length: 8 }, () => loaded(device, 100)));
    parentPort.postMessage("busy");
    await Promise.all(
      allocations.map(async (allocation) => {
        for (;;) await allocation.placement();
      }),
    );
  },
  async "in-worker"(device) {
    const allocation = await loaded(device, 3 * MIB);
    parentPort.postMessage("busy");
    for (;;) await allocation.digest();
  },
  async collect(device) {
    await loadForgotten(device);
    await collectUntil(() => simulatorStats().freed.length === 1);
    const failures = device.takeTeardownFailures();
    await device.close();
    report({ failures });
  },
  async "collect-failing"(device) {
    await loadForgotten(device);
    failCall({ entryPoint: "cuMemSetAccess", code: 800 });
    let failures = [];
    await collectUntil(() => (failures = [...failures, ...device.takeTeardownFailures()]).length > 0);
    await device.close();
    report({ failures });
  },
};

const scene = scenes[process.argv[2]];
await scene(await openDriver(simulator()).openDevice(0));
