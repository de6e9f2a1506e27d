// Runs every test there is, one runner after another, and sums their JSON reports into one closing line.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = join(root, ".results");
const packages = readdirSync(join(root, "packages")).sort();

/** Each runner: what to run, and where it leaves which report. */
const runners = [
  { name: "checks", args: ["scripts/check.mjs", "--json", join(results, "checks.json")], report: join(results, "checks.json") },
  { name: "native", args: ["scripts/native-test.mjs", "--json", join(results, "native.json")], report: join(results, "native.json") },
  ...packages.map((name) => {
    const cwd = join(root, "packages", name);
    return {
      name,
      cwd,
      args: [join(root, "node_modules/vitest/vitest.mjs"), "run"],
      report: join(cwd, ".results/vitest.json"),
    };
  }),
];

/** Vitest counts in Jest's words, our own runners in plain ones. */
function readCounts(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0 };
  const { passed, failed, numPassedTests = passed, numFailedTests = failed } = JSON.parse(readFileSync(report, "utf8"));
  return { passed: numPassedTests, failed: numFailedTests };
}

const total = { passed: 0, failed: 0 };
for (const { name, args, report, cwd = root } of runners) {
  console.log(`\n== ${name}`);
  rmSync(report, { force: true });
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: "inherit" });
  const { passed, failed } = readCounts(report);
  total.passed += passed;
  // A runner that failed, or ran nothing, without a failed test to show for it counts as one failure.
  total.failed += failed > 0 ? failed : status !== 0 || passed === 0 ? 1 : 0;
  if (status !== 0) console.log(`== ${name} failed`);
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
