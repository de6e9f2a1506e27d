// The parts of the suite. Each is `{ name, cases }`, a case `{ title, status, message }` with the status passed, failed or skipped.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const TAIL = 2000;
const PROGRAMS = ["program.mjs", "program.cjs"];

/** Runs a program to its end, however it ends. */
function runToEnd(program, args, options) {
  return new Promise((resolve) => {
    const said = { stdout: "", stderr: "" };
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
    child.on("error", ({ message }) => resolve({ ...said, ended: message }));
    child.on("close", (status, signal) => resolve({ ...said, passed: status === 0, ended: `ended with ${signal ?? status}` }));
  });
}

/**
 * The parts in their order, each `{ name, run }`: `app` is the bundle, `out` the folder for reports, `library` the driver's library.
 * Those of test files may run side by side.
 */
export function suiteParts({ app, out, onGpu, library, tests }) {
  const env = { ...process.env, NO_COLOR: "1", VRAM_TEST_BACKEND: onGpu ? "cuda" : "" };

  /** Runs a program to its end; what it says goes to a file. */
  async function start(name, program, args, { cwd = app, minutes = 5 } = {}) {
    const { stdout, stderr, passed, ended } = await runToEnd(program, args, { cwd, env, timeout: minutes * 60_000 });
    const said = `${stdout}${stderr}`;
    writeFileSync(join(out, `${name}.log`), said);
    return { stdout, case: { title: name, status: passed ? "passed" : "failed", message: passed ? "" : `${ended}\n${said.slice(-TAIL)}` } };
  }

  async function probe() {
    const run = await start("probe", join(app, "gpu-probe"), [library, "native/kernel/fsverity.ptx", "native/kernel/fsverity_plain.ptx", ...(onGpu ? [] : ["--quick"])]);
    writeFileSync(join(out, "probe.json"), run.stdout);
    return [run.case];
  }

  async function program(name) {
    const cwd = mkdtempSync(join(tmpdir(), "vram-program-"));
    try {
      return [(await start(name, process.execPath, [join(app, name), ...(onGpu ? ["--gpu"] : [])], { cwd })).case];
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  }

  async function testFile({ title, path }) {
    const report = join(out, `${title}.json`);
    mkdirSync(dirname(report), { recursive: true });
    rmSync(report, { force: true });
    const cwd = join(app, ...path.split("/").slice(0, 2));
    const { case: run } = await start(title, process.execPath, [join(app, "gpu/run-file.mjs"), join(app, path), report], { cwd, minutes: 10 });
    if (!existsSync(report)) return [{ ...run, status: "failed", message: `it wrote no report; it ${run.message}` }];
    const cases = JSON.parse(readFileSync(report, "utf8"));
    const ran = cases.some(({ status }) => status !== "skipped");
    return ran ? cases : [...cases, { title, status: "failed", message: "no test of this file ran" }];
  }

  async function benchmark() {
    const device = onGpu ? ["--gpu", "--probe", join(out, "probe.json")] : ["--quick"];
    const args = ["--native", join(app, "vram_host_bench"), "--out", join(out, "bench.json"), ...device];
    return [(await start("benchmark", process.execPath, [join(app, "bench.mjs"), ...args], { minutes: 10 })).case];
  }

  return [
    { name: "probe", run: probe },
    ...PROGRAMS.map((name) => ({ name, run: () => program(name) })),
    ...tests.map((test) => ({ name: test.title, run: () => testFile(test), besides: true })),
    { name: "benchmark", run: benchmark },
  ];
}

/** Runs the parts in order, of those that may run side by side `jobs` at a time, and tells each as it ends. */
export async function runParts(parts, { jobs, tell }) {
  const running = new Set();
  for (const { name, run, besides } of parts) {
    while (running.size >= (besides === true ? jobs : 1)) await Promise.race(running);
    const startMs = performance.now();
    const work = run().then((cases) => {
      running.delete(work);
      tell({ name, cases, seconds: (performance.now() - startMs) / 1000 });
    });
    running.add(work);
    if (!besides) await work;
  }
  await Promise.all(running);
}
