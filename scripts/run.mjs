#!/usr/bin/env node
// Runs a root task with the pinned pnpm, which installs what is missing first.
// Everything but the task's own output goes to stderr.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pnpmArguments } from "./pnpm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" };

let running;
// A terminal sends SIGINT to the child too, which ends in its own time; SIGTERM reaches this process alone.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => running?.kill("SIGTERM"));

/** Runs a program to its end; a failure or a signal ends this process with the same code. */
function step(program, args, { cwd = root, stdout = process.stderr.fd } = {}) {
  return new Promise((resolve) => {
    const end = (code) => (code === 0 ? resolve() : process.exit(code));
    running = spawn(program, args, { cwd, env, stdio: ["inherit", stdout, "inherit"] });
    running.on("error", ({ code }) => {
      process.stderr.write(`cannot run ${program}: ${code}\n`);
      end(1);
    });
    running.on("close", (status, signal) => end(signal ? 128 + constants.signals[signal] : status));
  });
}

const build = () =>
  step("npx", pnpmArguments(["exec", "turbo", "run", "build", "--output-logs=errors-only", "--concurrency=2"]));
const script = (name) => (args) => step(process.execPath, [join(root, name), ...args], { stdout: "inherit" });
/** npm moves to the project's folder; the command resolves paths from where its caller is. */
const command = (args) =>
  step(process.execPath, [join(root, "packages/vram-residency/dist/cli.js"), ...args], {
    stdout: "inherit",
    cwd: process.env.INIT_CWD ?? process.cwd(),
  });
const built = (run) => async (args) => {
  await build();
  await run(args);
};

const tasks = {
  bench: built(script("scripts/bench.mjs")),
  build,
  chaos: built(script("scripts/chaos.mjs")),
  coverage: built(script("scripts/coverage.mjs")),
  "crash-test": built(script("scripts/crash-test.mjs")),
  defences: built(script("scripts/defences.mjs")),
  "docs:check": built(script("scripts/docs-check.mjs")),
  "docs:generate": built(script("scripts/docs-generate.mjs")),
  fuzz: built(script("scripts/fuzz.mjs")),
  lint: built(script("scripts/check.mjs")),
  "long-log-test": built(script("scripts/long-log-test.mjs")),
  matrix: built(script("scripts/matrix.mjs")),
  mutation: built(script("scripts/mutation.mjs")),
  mutants: script("scripts/mutants.mjs"),
  prebuilds: built(script("scripts/prebuilds.mjs")),
  "ops-test": built(script("scripts/ops-test.mjs")),
  packed: built(script("scripts/packed.mjs")),
  ptx: script("scripts/ptx.mjs"),
  "release:advisories": script("scripts/release-advisories.mjs"),
  "release:rehearse": script("scripts/release-rehearse.mjs"),
  soak: built(script("scripts/soak.mjs")),
  start: built((args) => command(["demo", "--simulate=if-no-gpu", ...args])),
  "tamper-test": built(script("scripts/tamper-test.mjs")),
  tarballs: built(script("scripts/tarballs.mjs")),
  test: built(script("scripts/test.mjs")),
  vram: built(command),
};

const [name = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, name)) {
  process.stderr.write(`usage: node scripts/run.mjs ${Object.keys(tasks).join("|")} [arguments]\n`);
  process.exit(2);
}
await tasks[name](args);
