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
  { name: "driver faults", args: ["scripts/chaos.mjs", "--check", "--json", join(results, "chaos.json")], report: join(results, "chaos.json") },
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

/** Vitest reports in Jest's words, our own runners in plain ones. */
function readReport(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0, failures: [] };
  const { passed, failed, cases = [], numPassedTests = passed, numFailedTests = failed, testResults = [] } = JSON.parse(readFileSync(report, "utf8"));
  const failures = [
    ...cases.filter(({ ok }) => !ok).map(({ title }) => title),
    ...testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName)),
  ];
  return { passed: numPassedTests, failed: numFailedTests, failures };
}

const total = { passed: 0, failed: 0 };
const failed = [];
for (const { name, args, report, cwd = root } of runners) {
  console.log(`\n== ${name}`);
  rmSync(report, { force: true });
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: "inherit" });
  const counts = readReport(report);
  total.passed += counts.passed;
  // A runner that failed, or ran nothing, without a failed test to show for it counts as one failure.
  const silent = counts.failed === 0 && (status !== 0 || counts.passed === 0);
  total.failed += silent ? 1 : counts.failed;
  failed.push(...(silent ? [`${name}: ended with ${status}`] : counts.failures.map((title) => `${name}: ${title}`)));
}
console.log(failed.length === 0 ? "" : `\nfailed:\n${failed.map((each) => `  ${each}`).join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
