// Builds the C++ tests with sanitizers and runs them. `--json FILE` gets the sum; each executable's own report lies in the
// build folder's results. `--sanitize thread` takes another set than the default address,undefined.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { json: { type: "string" }, sanitize: { type: "string", default: "address,undefined" } } });
const root = fileURLToPath(new URL("..", import.meta.url));
const build = join(root, "build", values.sanitize === "thread" ? "native-tsan" : "native-asan");
const results = join(build, "results");
const executables = [
  { name: "vram_native_tests", path: join(build, "test/vram_native_tests") },
  { name: "vram_simulator_tests", path: join(build, "simulator/vram_simulator_tests") },
];

/** Runs a tool quietly: its output is shown only where it fails. */
function runQuietly(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  if (status === 0) return true;
  process.stderr.write(error === undefined ? `${stdout}${stderr}` : `${command} could not be run: ${error.message}\n`);
  return false;
}

function buildTests() {
  const configure = [
    ...["-S", "native", "-B", build, "-DVRAM_TESTS=ON", `-DVRAM_SANITIZE=${values.sanitize}`],
    // Compiling takes longer than running: a lower level of optimization is the faster whole.
    ...["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1"],
  ];
  const targets = executables.map(({ name }) => name);
  return runQuietly("cmake", configure) && runQuietly("cmake", ["--build", build, "-j", "2", "--target", ...targets]);
}

/** A run that crashes leaves no report: that is one failure. */
function runTests({ name, path }) {
  const report = join(results, `${name}.json`);
  rmSync(report, { force: true });
  console.log(`-- ${name}`);
  const { status } = spawnSync(path, ["--json", report], { cwd: root, stdio: "inherit" });
  try {
    const { passed, failed, cases } = JSON.parse(readFileSync(report, "utf8"));
    return { passed, failed: failed > 0 || (status === 0 && passed > 0) ? failed : 1, cases };
  } catch {
    return { passed: 0, failed: 1, cases: [{ title: `${name} ended with ${status}`, ok: false }] };
  }
}

mkdirSync(results, { recursive: true });
const counts = buildTests() ? executables.map(runTests) : [{ passed: 0, failed: 1, cases: [{ title: "the C++ tests build", ok: false }] }];
const sum = counts.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, cases: [...a.cases, ...b.cases] }));
if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(sum)}\n`);
}
console.log(`native: ${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1;
