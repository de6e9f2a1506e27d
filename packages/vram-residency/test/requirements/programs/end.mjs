// Ways for a process or a worker thread to end with sealed shards. Prints what the simulator held last, as JSON.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { generate, openAuditLog, openResidency } from "vram-residency";
import { simulator } from "vram-simulator";
import { simulatorStats } from "vram-simulator/control";

const unhandled = [];
const folder = mkdtempSync(join(tmpdir(), "vram-end-"));
const bytes = Buffer.alloc(2 ** 20, 7);

async function open() {
  const audit = await openAuditLog({ dir: join(folder, "audit") });
  return openResidency({ sealKey: await generate(), audit, workerId: "end", policy: { allowBackends: ["simulator"] }, driver: simulator() });
}

async function sealed() {
  const residency = await open();
  return { residency, shards: [await residency.seal(bytes), await residency.seal(bytes)] };
}

/** Seals and forgets, so that nothing here refers to it any more. */
async function forget() {
  await sealed();
}

async function inThread(scene) {
  const worker = new Worker(new URL(import.meta.url), { argv: [scene] });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  await new Promise((resolve) => worker.once("message", resolve));
  return { worker, ended };
}

const ways = {
  async exit() {
    await sealed();
    process.exit(0);
  },
  async end() {
    await sealed();
  },
  async terminate() {
    const { worker } = await inThread("verifying");
    await worker.terminate();
  },
  async thread() {
    const { ended } = await inThread("sealed");
    await ended;
  },
  async collect() {
    await forget();
    for (let turn = 0; turn < 500 && simulatorStats().freed.length < 2; turn += 1) {
      globalThis.gc();
      await sleep(5);
    }
  },
  async busy() {
    const { residency, shards } = await sealed();
    const operations = [residency.seal(bytes), residency.verify(shards[0]), residency.execute(shards[1], () => sleep(20))];
    await Promise.all([Promise.allSettled(operations), residency.close()]);
  },
};

const scenes = {
  async verifying() {
    const { residency, shards } = await sealed();
    parentPort.postMessage("busy");
    for (;;) await residency.verify(shards[0]);
  },
  async sealed() {
    await sealed();
    parentPort.postMessage("sealed");
  },
};

if (isMainThread) {
  process.on("unhandledRejection", (error) => unhandled.push(String(error?.code ?? error)));
  // The addon ends its memory when the process exits; a listener that is set after it was loaded sees what is left then.
  await (await open()).close();
  process.on("exit", () => {
    const { allocations, reservations, contexts, streams, modules, allocatedBytes, freed } = simulatorStats();
    const left = { allocations, reservations, contexts, streams, modules, allocatedBytes };
    process.stdout.write(JSON.stringify({ left, zeroed: freed.map(({ zeroed }) => zeroed), unhandled }));
    rmSync(folder, { recursive: true, force: true });
  });
  await ways[process.argv[2]]();
} else {
  await scenes[process.argv[2]]();
}
