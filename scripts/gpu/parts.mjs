// The parts of the suite. Each is `{ name, cases }`, a case `{ title, status, message }` with the status passed, failed or skipped.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const TAIL = 2000;
const PROGRAMS = ["program.mjs", "program.cjs"];

/** `app` is the bundle, `out` the folder for reports, `library` the driver's library. */
export function* runParts({ app, out, onGpu, library, tests }) {
  const env = { ...process.env, NO_COLOR: "1", VRAM_TEST_BACKEND: onGpu ? "cuda" : "" };

  /** Runs a program to its end; what it says goes to a file. */
  function start(name, program, args, { cwd = app, minutes = 5 } = {}) {
    const { status, signal, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: "utf8", maxBuffer: 1 << 28, timeout: minutes * 60_000 });
    const said = `${stdout ?? ""}${stderr ?? ""}`;
    writeFileSync(join(out, `${name}.log`), said);
    const ended = error?.message ?? `ended with ${signal ?? status}`;
    return { stdout, case: { title: name, status: status === 0 ? "passed" : "failed", message: status === 0 ? "" : `${ended}\n${said.slice(-TAIL)}` } };
  }

  function probe() {
    const run = start("probe", join(app, "gpu-probe"), [library, "native/kernel/fsverity.ptx", "native/kernel/fsverity_balanced.ptx", ...(onGpu ? [] : ["--quick"])]);
    writeFileSync(join(out, "probe.json"), run.stdout ?? "");
    return [run.case];
  }

  function program(name) {
    const cwd = mkdtempSync(join(tmpdir(), "vram-program-"));
    try {
      return [start(name, process.execPath, [join(app, name), ...(onGpu ? ["--gpu"] : [])], { cwd }).case];
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  }

  function testFile({ title, path }) {
    const report = join(out, `${title}.json`);
    mkdirSync(dirname(report), { recursive: true });
    rmSync(report, { force: true });
    const cwd = join(app, ...path.split("/").slice(0, 2));
    const { case: run } = start(title, process.execPath, [join(app, "gpu/run-file.mjs"), join(app, path), report], { cwd, minutes: 10 });
    if (!existsSync(report)) return [{ ...run, status: "failed", message: `it wrote no report; it ${run.message}` }];
    const cases = JSON.parse(readFileSync(report, "utf8"));
    const ran = cases.some(({ status }) => status !== "skipped");
    return ran ? cases : [...cases, { title, status: "failed", message: "no test of this file ran" }];
  }

  function benchmark() {
    const device = onGpu ? ["--gpu", "--probe", join(out, "probe.json")] : ["--quick"];
    const args = ["--native", join(app, "vram_host_bench"), "--out", join(out, "bench.json"), ...device];
    return [start("benchmark", process.execPath, [join(app, "bench.mjs"), ...args], { minutes: 10 }).case];
  }

  yield { name: "probe", cases: probe() };
  for (const name of PROGRAMS) yield { name, cases: program(name) };
  for (const test of tests) yield { name: test.title, cases: testFile(test) };
  yield { name: "benchmark", cases: benchmark() };
}
