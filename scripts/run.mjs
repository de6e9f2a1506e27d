#!/usr/bin/env node
// Runs a root task with the pinned pnpm, which installs what is missing first.
// Everything but the task's own output goes to stderr.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const pnpm = ["--yes", "--prefer-offline", manifest.packageManager];
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" };

/** Runs a program to its end; a signal or a failure ends this process the same way. */
function step(program, args, { cwd = root, stdout = process.stderr.fd } = {}) {
  const { status, signal, error } = spawnSync(program, args, { cwd, env, stdio: ["inherit", stdout, "inherit"] });
  if (error) {
    process.stderr.write(`cannot run ${program}: ${error.code}\n`);
    process.exit(1);
  }
  if (signal) process.exit(128 + (constants.signals[signal] ?? 0));
  if (status !== 0) process.exit(status ?? 1);
}

const pnpmRun = (...args) => step("npx", [...pnpm, ...args]);
const turbo = (...tasks) =>
  pnpmRun("exec", "turbo", "run", ...tasks, "--output-logs=errors-only", "--concurrency=2");
const node = (script, args) => step(process.execPath, [script, ...args], { stdout: "inherit" });

const command = "packages/vram-residency/dist/cli.js";
const tasks = {
  build: () => turbo("build"),
  lint: (args) => (turbo("build"), node("scripts/check.mjs", args)),
  ptx: (args) => node("scripts/ptx.mjs", args),
  start: (args) => (turbo("build"), node(command, ["demo", "--simulate=if-no-gpu", ...args])),
  test: (args) => (turbo("build"), node("scripts/test.mjs", args)),
  vram: (args) => (turbo("build"), node(command, args)),
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, name ?? "")) {
  process.stderr.write(`usage: node scripts/run.mjs ${Object.keys(tasks).join("|")} [arguments]\n`);
  process.exit(2);
}
tasks[name](args);
