// A folder and processes that are gone afterwards, however a run ends: by itself, by an error, by Ctrl-C.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

const running = new Set();
let ended = false;

/** Each child leads a process group, so that what it started ends with it. */
function endGroup({ pid }) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Starts a program in a process group of its own. `options` are those of `spawn`. */
export function start(program, args, options) {
  if (ended) throw new Error("interrupted");
  const child = spawn(program, args, { ...options, detached: true });
  running.add(child);
  child.on("close", () => running.delete(child));
  return child;
}

/** Runs a program to its end, and answers `{ status, stdout, output }`; the last is stdout and stderr together. */
export function attempt(program, args, options) {
  return new Promise((resolve) => {
    const child = start(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = { stdout: "", output: "" };
    child.stdout.on("data", (chunk) => {
      chunks.stdout += chunk;
      chunks.output += chunk;
    });
    child.stderr.on("data", (chunk) => (chunks.output += chunk));
    child.on("error", ({ message }) => resolve({ status: null, stdout: "", output: message }));
    child.on("close", (status) => resolve({ status, ...chunks }));
  });
}

/** Runs a program to its end, and answers its stdout. @throws with all that it printed, where it fails */
export async function step(program, args, options) {
  const { status, stdout, output } = await attempt(program, args, options);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed\n${output}`);
  return stdout;
}

/** Runs `work` with a new folder; then, and at SIGINT and SIGTERM, ends what was started and removes the folder. */
export async function inWorkplace(work) {
  const folder = mkdtempSync(join(tmpdir(), "vram-release-"));
  const clean = () => {
    ended = true;
    for (const child of running) endGroup(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      clean();
      process.exit(128 + constants.signals[signal]);
    });
  }
  try {
    return await work(folder);
  } finally {
    clean();
  }
}
