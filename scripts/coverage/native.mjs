// Line coverage of the native sources by the C++ tests, with gcov.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { root } from "../checks/tree.mjs";

const build = join(root, "build/native-coverage");
const executables = { vram_native_tests: "test/vram_native_tests", vram_simulator_tests: "simulator/vram_simulator_tests" };

/** Answers what a program wrote to stdout; its output is shown only where it fails. */
function output(program, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 1 << 28 });
  if (status === 0) return stdout;
  throw new Error(`${program} ended with ${status}: ${error?.message ?? stdout.slice(-4000) + stderr.slice(-4000)}`);
}

function buildTests() {
  // _FORTIFY_SOURCE warns where nothing is optimized.
  const flags = ["-DVRAM_TESTS=ON", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS=--coverage -O0 -Wno-cpp"];
  output("cmake", ["-S", "native", "-B", build, ...flags]);
  output("cmake", ["--build", build, "-j", "2", "--target", ...Object.keys(executables)]);
}

const buildFiles = (end) => readdirSync(build, { recursive: true }).filter((file) => file.endsWith(end)).map((file) => join(build, file));

/** What gcov says of each source: `{ file, lines: [{ line_number, count }] }`, once for each object it is part of. */
function gcovFiles() {
  // A source without counts was never run, which its notes tell.
  const told = output("gcov", ["--json-format", "--stdout", ...buildFiles(".gcno")], build);
  return told.split("\n").filter((line) => line !== "").flatMap((line) => {
    const { current_working_directory: cwd, files } = JSON.parse(line);
    return files.map(({ file, lines }) => ({ file: relative(root, resolve(cwd, file)), lines }));
  });
}

const isMeasured = (file) => file.startsWith("native/") && !file.split("/").includes("test");

/** Builds and runs the C++ tests; answers `{ file, covered, total }` of every native source in them. */
export function nativeCoverage() {
  mkdirSync(build, { recursive: true });
  buildTests();
  for (const counts of buildFiles(".gcda")) rmSync(counts);
  for (const path of Object.values(executables)) output(join(build, path), []);
  const sources = new Map();
  for (const { file, lines } of gcovFiles().filter(({ file }) => isMeasured(file))) {
    const counts = sources.get(file) ?? new Map();
    for (const { line_number, count } of lines) counts.set(line_number, (counts.get(line_number) ?? 0) + count);
    sources.set(file, counts);
  }
  const files = [...sources].map(([file, counts]) => ({ file, covered: [...counts.values()].filter((count) => count > 0).length, total: counts.size }));
  const withCode = files.filter(({ total }) => total > 0).sort((a, b) => (a.file < b.file ? -1 : 1));
  if (withCode.length === 0) throw new Error("gcov told of no native source");
  return withCode;
}
