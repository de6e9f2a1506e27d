// The security verification matrix: each requirement, its mechanism, the tests that prove it, and how they ended.
// npm run matrix [-- --markdown FILE] [--json FILE] [--quiet]. Results that are older than the code they judge are made anew
// first. Ends with 1 where a requirement has no test, a title names an unknown one, or any test was skipped or failed.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { judge } from "./matrix/judge.mjs";
import { matrixMarkdown, matrixText, summaryOf } from "./matrix/report.mjs";
import { readRequirements } from "./matrix/requirements.mjs";
import { isFresh, readReport, run, runners } from "./runners.mjs";

const text = { type: "string" };
const { values } = parseArgs({ options: { markdown: text, json: text, quiet: { type: "boolean", default: false } } });

for (const runner of runners.filter((each) => !isFresh(each))) {
  process.stderr.write(`running ${runner.name}: its last results are missing or older than the code\n`);
  run(runner, ["ignore", process.stderr.fd, process.stderr.fd]);
}
const reports = runners.map((runner) => ({ runner, ...readReport(runner) }));
const tests = reports.flatMap(({ runner, tests: own }) => own.map((test) => ({ ...test, runner: runner.name })));
const requirements = readRequirements();
const { rows, problems } = judge(requirements, tests);
const silent = reports.filter(({ counts }) => counts.passed === 0).map(({ runner }) => `${runner.name} ran no test`);
const found = [...requirements.problems, ...silent, ...problems];

if (!values.quiet) console.log(`${matrixText(rows)}\n`);
if (values.markdown !== undefined) writeFileSync(resolve(process.env.INIT_CWD ?? ".", values.markdown), matrixMarkdown(rows));
for (const problem of found) console.log(problem);
const cases = [...rows.filter(({ ok }) => !ok).map(({ id }) => id), ...found].map((title) => ({ title, ok: false }));
if (values.json !== undefined) {
  writeFileSync(values.json, JSON.stringify({ passed: rows.filter(({ ok }) => ok).length, failed: cases.length, cases }));
}
console.log(`${summaryOf(rows)} passed${found.length === 0 ? "" : `; ${found.length} problems`}`);
process.exitCode = found.length === 0 && rows.every(({ ok }) => ok) ? 0 : 1;
