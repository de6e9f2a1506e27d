// One writer under load, from its start to its end by kill -9.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "../checks/tree.mjs";

const PROGRAM = join(root, "packages/vram-audit/test/support/loaded-writer.mjs");
/** One kill in this many comes while the log is opened, or before. */
const EARLY = 5;
const EARLY_MS = 300;
/** The others come when at most so many events are acknowledged: a moment that does not depend on the machine's speed. */
const EVENTS_MAX = 2000;
const WITHIN_MS = 60_000;

/** `acknowledged` has the lines that the writer printed, "sequence shardId"; `ready` tells whether it had opened the log. */
export async function runAndKill(dir, { session, options, random }) {
  const child = spawn(process.execPath, [PROGRAM, dir, String(session), JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const lines = [];
  const enough = linesOf(child.stdout, lines, 1 + random() * EVENTS_MAX);
  if (random() < 1 / EARLY) await delay(random() * EARLY_MS);
  else await Promise.race([enough, closed, delay(WITHIN_MS, undefined, { ref: false })]);
  child.kill("SIGKILL");
  const [, signal] = await closed;
  if (signal !== "SIGKILL") throw new Error(`the writer of session ${session} ended by itself`);
  return { session, ready: lines[0] === "ready", acknowledged: lines.slice(1) };
}

/** Collects whole lines; resolves when there are `count`. */
function linesOf(stream, lines, count) {
  let rest = "";
  return new Promise((resolve) => {
    stream.setEncoding("utf8").on("data", (text) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop();
      lines.push(...parts);
      if (lines.length >= count) resolve();
    });
  });
}
