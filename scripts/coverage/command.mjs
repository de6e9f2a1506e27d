// Coverage of the command, which its tests run as a process: V8's counts of the built file, mapped back to its sources.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { convert } from "ast-v8-to-istanbul";
import libCoverage from "istanbul-lib-coverage";
import { parseAstAsync } from "vitest/node";
import { read, root } from "../checks/tree.mjs";

const home = join(root, "packages/vram-residency");
const built = join(home, "dist/cli.js");
const isMeasured = (file) => file === "src/cli.ts" || file.startsWith("src/command/");

function run(program, args, environment = {}) {
  const env = { ...process.env, ...environment };
  const { status } = spawnSync(process.execPath, [join(root, program), ...args], { cwd: home, env, stdio: ["ignore", "ignore", process.stderr.fd] });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
}

/** Builds the command once more, into `folder`, for its source map: what is published has none. */
function sourceMapOf(code, folder) {
  run("node_modules/tsup/dist/cli-default.js", ["--sourcemap", "--no-dts", "--silent", "--out-dir", folder]);
  const again = readFileSync(join(folder, "cli.js"), "utf8").replace(/\/\/# sourceMappingURL=.*$/, "");
  if (again !== code) throw new Error("the built command is not that of its sources: npm run build");
  const map = JSON.parse(readFileSync(join(folder, "cli.js.map"), "utf8"));
  return { ...map, sources: map.sources.map((source) => resolve(folder, source)) };
}

/** Runs the tests that start the command; each of its processes leaves its counts in `counts`. */
function runTests(counts) {
  const all = readdirSync(join(home, "test"), { recursive: true }).filter((file) => file.endsWith(".test.ts"));
  const tests = all.map((file) => `test/${file}`).filter((file) => read(`packages/vram-residency/${file}`).includes("dist/cli.js"));
  if (tests.length === 0) throw new Error("no test starts the command");
  run("node_modules/vitest/vitest.mjs", ["run", ...tests], { NODE_V8_COVERAGE: counts });
}

/** V8's counts of the built command, one entry a process. */
function countsOf(folder) {
  const url = pathToFileURL(built).href;
  const files = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
  return files.flatMap(({ result }) => result.filter((script) => script.url === url));
}

/** Answers `{ lines, branches }` of the command's sources, each `{ covered, total }`. */
export async function commandCoverage() {
  mkdirSync(join(home, ".results"), { recursive: true });
  const folder = mkdtempSync(join(home, ".results/command-coverage-"));
  try {
    const code = readFileSync(built, "utf8");
    const sourceMap = sourceMapOf(code, join(folder, "built"));
    runTests(join(folder, "counts"));
    const map = libCoverage.createCoverageMap({});
    for (const coverage of countsOf(join(folder, "counts"))) map.merge(await convert({ ast: parseAstAsync(code), code, sourceMap, coverage, wrapperLength: 0 }));
    map.filter((file) => isMeasured(relative(home, file)));
    if (map.files().length === 0) throw new Error("no process of the command left counts");
    const { lines, branches } = map.getCoverageSummary();
    return { lines, branches };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
