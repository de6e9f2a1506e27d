// `vram-residency hold` on the simulator, ended by a signal at a random moment, many times: the exit code is the signal's,
// the log is good, and what was sealed or being loaded was wiped. node scripts/hold-signals.mjs [--bytes N] [--runs N] [--seed N]
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readAuditEvents, verifyAuditLog } from "../packages/vram-audit/dist/index.js";
import { randomFrom } from "./random.mjs";

const text = { type: "string" };
const { values } = parseArgs({ options: { bytes: text, runs: text, seed: text } });
const [bytes, runs, seed] = [values.bytes ?? 2 ** 28, values.runs ?? 20, values.seed ?? Date.now() % 2 ** 31].map(Number);
const cli = fileURLToPath(new URL("../packages/vram-residency/dist/cli.js", import.meta.url));
const CODES = { SIGTERM: 143, SIGINT: 130 };

const random = randomFrom(seed);

/** A process that holds a model; `ended` resolves to its exit code. */
function hold(model, dir) {
  const child = spawn(process.execPath, [cli, "hold", "--simulate", "--audit", dir, model], { stdio: ["ignore", "pipe", "ignore"] });
  const held = { child, holding: false };
  child.stdout.on("data", (output) => (held.holding ||= /Holding/.test(output)));
  held.ended = new Promise((resolve) => child.on("close", (code, killedBy) => resolve(code ?? CODES[killedBy])));
  return held;
}

/** Seals and wipes in the log; empty where the process ended before it had one. */
async function readLog(dir) {
  const log = { ok: true, sealed: 0, deallocated: 0, unwiped: 0 };
  try {
    log.ok = (await verifyAuditLog({ dir })).ok;
    for await (const { type, data } of readAuditEvents({ dir })) {
      if (type === "vram.shard.sealed") log.sealed += 1;
      if (type === "vram.shard.deallocated") log[data.wiped ? "deallocated" : "unwiped"] += 1;
    }
  } catch (error) {
    if (!/no audit log|not exist|ENOENT|no log/i.test(String(error.message))) throw error;
  }
  return log;
}

const folder = mkdtempSync(join(tmpdir(), "vram-hold-"));
let failures = 0;
try {
  const model = join(folder, "model.bin");
  const file = openSync(model, "w");
  for (let written = 0; written < bytes; written += 2 ** 20) writeSync(file, Buffer.alloc(Math.min(2 ** 20, bytes - written), written % 251));
  closeSync(file);
  const start = performance.now();
  const trial = hold(model, join(folder, "trial"));
  while ((await readLog(join(folder, "trial"))).sealed === 0) await delay(20);
  const sealedAfterMs = performance.now() - start;
  trial.child.kill("SIGTERM");
  await trial.ended;
  console.log(`model ${bytes} bytes, sealed after ${sealedAfterMs.toFixed(0)} ms; seed ${seed}`);
  for (let number = 0; number < runs; number += 1) {
    const signal = random() < 0.5 ? "SIGTERM" : "SIGINT";
    const delayMs = Math.round(random() * 1.3 * sealedAfterMs);
    const dir = join(folder, `run-${number}`);
    const run = hold(model, dir);
    const timer = setTimeout(() => run.child.kill(signal), delayMs);
    const code = await run.ended;
    clearTimeout(timer);
    const { ok, sealed, deallocated, unwiped } = await readLog(dir);
    const good = code === CODES[signal] && ok && unwiped === 0 && deallocated >= sealed;
    failures += good ? 0 : 1;
    console.log(`${good ? "ok    " : "FAILED"} ${signal} after ${delayMs} ms, ${run.holding ? "holding" : "before"}: exit ${code}, sealed ${sealed}, wiped ${deallocated}, log ${ok ? "good" : "BAD"}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${runs - failures} of ${runs} runs ended well`);
process.exitCode = failures === 0 ? 0 : 1;
