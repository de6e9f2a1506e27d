// Line and branch coverage: TypeScript by each package's tests, with V8; C++ by its tests, with gcov.
// npm run coverage. Ends with one line of figures, and with 1 where one is below what it must be.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { commandCoverage } from "./coverage/command.mjs";
import { nativeCoverage } from "./coverage/native.mjs";
import { root } from "./checks/tree.mjs";

const LEAST = { "TypeScript lines": 90, "TypeScript branches": 85, "C++ lines": 90 };
// Under coverage, and on a busy machine, a test may take many times as long.
process.env.VRAM_TEST_TIMEOUT_MS ??= "300000";
const packages = readdirSync(join(root, "packages")).sort();

/** Runs a package's tests; answers `{ lines, branches }` of its sources, each `{ covered, total }`. */
function packageCoverage(name) {
  const cwd = join(root, "packages", name);
  const folder = join(cwd, ".results/coverage");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = ["--coverage.enabled", "--coverage.provider=v8", "--coverage.reporter=json-summary", `--coverage.reportsDirectory=${folder}`];
  const excluded = ["src/**/*.test.ts", "src/command/**", "src/cli.ts"].map((glob) => `--coverage.exclude=${glob}`);
  const scope = ["--coverage.include=src/**/*.ts", ...excluded];
  const { status } = spawnSync(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...options, ...scope], {
    cwd,
    env: { VRAM_PROPERTY_RUNS: "50", ...process.env },
    stdio: ["ignore", "ignore", process.stderr.fd],
  });
  if (status !== 0) throw new Error(`the tests of ${name} ended with ${status}`);
  const { total } = JSON.parse(readFileSync(join(folder, "coverage-summary.json"), "utf8"));
  return { lines: total.lines, branches: total.branches };
}

const percent = ({ covered, total }) => (100 * covered) / Math.max(1, total);
const sum = (parts) => parts.reduce((a, b) => ({ covered: a.covered + b.covered, total: a.total + b.total }), { covered: 0, total: 0 });

const parts = [
  ...packages.map((name) => ({ name, ...packageCoverage(name) })),
  { name: "the command", ...(await commandCoverage()) },
];
for (const { name, lines, branches } of parts) {
  console.log(`${name.padEnd(16)} lines ${percent(lines).toFixed(1)} %, branches ${percent(branches).toFixed(1)} %`);
}
const native = nativeCoverage();
for (const { file, covered, total } of native) console.log(`${file.padEnd(44)} lines ${percent({ covered, total }).toFixed(1)} %`);

const figures = {
  "TypeScript lines": percent(sum(parts.map(({ lines }) => lines))),
  "TypeScript branches": percent(sum(parts.map(({ branches }) => branches))),
  "C++ lines": percent(sum(native)),
};
const told = Object.entries(figures).map(([what, value]) => `${what} ${value.toFixed(1)} % of at least ${LEAST[what]} %`);
console.log(told.join(", "));
process.exitCode = Object.entries(figures).every(([what, value]) => value >= LEAST[what]) ? 0 : 1;
