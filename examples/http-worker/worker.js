// @ts-check
// A worker that seals a model and computes on it over HTTP, each time after its bytes were verified in device memory.
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { generate, openAuditLog, openResidency } from "vram-residency";
import { HttpService } from "./http-service.js";
import { log } from "./log.js";
import { runWorker } from "./run-worker.js";

const USAGE = "usage: node worker.js --model FILE --sha256 HEX --audit DIR [--port N] [--drain-seconds N] [--simulate]\n";
const WRONG_USE = 2;

/** What the command line says; undefined where it says nothing that makes sense. */
function readArguments() {
  const text = /** @type {const} */ ({ type: "string" });
  try {
    const { values } = parseArgs({
      options: {
        ...{ model: text, sha256: text, audit: text },
        port: { ...text, default: "8080" },
        "drain-seconds": { ...text, default: "5" },
        simulate: { type: "boolean", default: false },
      },
    });
    const { model, sha256, audit, simulate, port, "drain-seconds": drainSeconds } = values;
    if (model === undefined || sha256 === undefined || audit === undefined) return undefined;
    if (![port, drainSeconds].every((each) => /^[0-9]{1,5}$/.test(each))) return undefined;
    return { model, sha256, audit, simulate, port: Number(port), drainMs: 1000 * Number(drainSeconds) };
  } catch {
    return undefined;
  }
}

/** @typedef {NonNullable<ReturnType<typeof readArguments>>} Options */

/** @param {Options} options */
async function open({ audit, simulate }) {
  return openResidency({
    workerId: "http-worker",
    sealKey: await generate(),
    audit: await openAuditLog({ dir: audit }),
    policy: { requireExpected: true, ...(simulate && { allowBackends: ["simulator"] }) },
    ...(simulate && { driver: (await import("vram-simulator")).simulator() }),
  });
}

/**
 * Serves until a signal comes or the worker stops.
 * @param {import("vram-residency").Residency} residency
 * @param {AbortSignal} ending
 * @param {Options} options
 */
async function serve(residency, ending, { model, sha256, port, drainMs }) {
  const service = new HttpService(residency);
  log("info", "listening", { port: await service.listen(port) });
  try {
    const shard = await residency.seal(model, { expect: { sha256 }, signal: ending });
    await service.start(shard);
    log("info", "ready", { shardId: shard.shardId, digest: shard.digest });
    const end = AbortSignal.any([ending, residency.signal]);
    if (!end.aborted) await once(end, "abort");
    service.drain();
    log("info", "draining");
    // Nothing can be computed on it any more.
    if (residency.signal.aborted) await shard.close();
    await delay(drainMs);
  } finally {
    await service.close();
  }
}

const options = readArguments();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = WRONG_USE;
} else {
  await runWorker({ open: () => open(options), work: (residency, ending) => serve(residency, ending, options) });
}
