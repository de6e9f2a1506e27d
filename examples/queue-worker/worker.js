// @ts-check
// A worker that takes jobs from a queue and computes them on a model, each time after its bytes were verified in device memory.
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { generate, openAuditLog, openResidency } from "vram-residency";
import { FileQueue } from "./file-queue.js";
import { JobRunner } from "./job-runner.js";
import { log } from "./log.js";
import { runWorker } from "./run-worker.js";

const USAGE = "usage: node worker.js --model FILE --sha256 HEX --audit DIR --queue DIR [--retry-ms N] [--simulate]\n";
const POLL_MS = 100;
const WRONG_USE = 2;

/** What the command line says; undefined where it says nothing that makes sense. */
function readArguments() {
  const text = /** @type {const} */ ({ type: "string" });
  try {
    const { values } = parseArgs({
      options: {
        ...{ model: text, sha256: text, audit: text, queue: text },
        "retry-ms": { ...text, default: "1000" },
        simulate: { type: "boolean", default: false },
      },
    });
    const { model, sha256, audit, queue, simulate, "retry-ms": retryMs } = values;
    if (model === undefined || sha256 === undefined || audit === undefined || queue === undefined) return undefined;
    return /^[0-9]{1,6}$/.test(retryMs) ? { model, sha256, audit, queue, simulate, retryMs: Number(retryMs) } : undefined;
  } catch {
    return undefined;
  }
}

/** @typedef {NonNullable<ReturnType<typeof readArguments>>} Options */

/** @param {Options} options */
async function open({ audit, simulate }) {
  return openResidency({
    workerId: "queue-worker",
    sealKey: await generate(),
    audit: await openAuditLog({ dir: audit }),
    policy: { requireExpected: true, ...(simulate && { allowBackends: ["simulator"] }) },
    ...(simulate && { driver: (await import("vram-simulator")).simulator() }),
  });
}

/**
 * Does jobs, one after another, until a signal comes or the worker stops; the job under way is done.
 * @param {import("vram-residency").Residency} residency
 * @param {AbortSignal} ending
 * @param {Options} options
 */
async function work(residency, ending, { model, sha256, queue: folder, retryMs }) {
  const queue = new FileQueue(folder);
  await queue.open();
  for (const { id, attempt } of await queue.recover()) log("error", "job refused", { code: "WORKER_DIED", id, attempt });
  const runner = new JobRunner(residency, { retryMs, seal: () => residency.seal(model, { expect: { sha256 }, signal: ending }) });
  const end = AbortSignal.any([ending, residency.signal]);
  log("info", "waiting");
  while (!end.aborted) {
    const job = await queue.take();
    if (job === undefined) await delay(POLL_MS, undefined, { signal: end }).catch(() => undefined);
    else await runner.run(job);
  }
}

const options = readArguments();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = WRONG_USE;
} else {
  await runWorker({ open: () => open(options), work: (residency, ending) => work(residency, ending, options) });
}
