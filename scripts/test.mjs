// Runs every test there is, one runner after another, and sums their JSON reports into one closing line. The last one judges
// the others: whether every requirement has a test that passed.
import { readReport, run, runners } from "./runners.mjs";
import { root } from "./checks/tree.mjs";
import { join } from "node:path";

const matrixReport = join(root, ".results/matrix.json");
const matrix = { name: "requirements", cwd: root, args: ["scripts/matrix.mjs", "--quiet", "--json", matrixReport], report: matrixReport };

const total = { passed: 0, failed: 0 };
const failed = [];
for (const runner of [...runners, matrix]) {
  console.log(`\n== ${runner.name}`);
  const status = run(runner);
  const { counts, tests } = readReport(runner);
  total.passed += counts.passed;
  // A runner that failed, or ran nothing, without a failed test to show for it counts as one failure.
  const silent = counts.failed === 0 && (status !== 0 || counts.passed === 0);
  total.failed += silent ? 1 : counts.failed;
  const failures = tests.filter((test) => test.status === "failed").map(({ title }) => title);
  failed.push(...(silent ? [`${runner.name}: ended with ${status}`] : failures.map((title) => `${runner.name}: ${title}`)));
}
console.log(failed.length === 0 ? "" : `\nfailed:\n${failed.map((each) => `  ${each}`).join("\n")}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
