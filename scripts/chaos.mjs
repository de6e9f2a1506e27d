// Tries faults of every driver call on every operation, on the simulator; ends with 1 where an outcome is not permitted.
// npm run chaos [-- --write | --check] [--jobs N] [--json FILE]. --write makes docs/spec/outcomes.md, --check compares it.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runGrid } from "./chaos/grid.mjs";
import { gridText, outcomesDocument } from "./chaos/report.mjs";

const path = fileURLToPath(new URL("../docs/spec/outcomes.md", import.meta.url));
const flag = { type: "boolean", default: false };
const text = { type: "string" };
const { values } = parseArgs({ options: { write: flag, check: flag, jobs: text, json: text } });
const jobs = Number(values.jobs ?? availableParallelism());
if (!Number.isSafeInteger(jobs) || jobs < 1) {
  console.error("--jobs must be an integer of at least 1");
  process.exit(2);
}

const cells = await runGrid(jobs);
console.log(gridText(cells));
const document = outcomesDocument(cells);
if (values.write) writeFileSync(path, document);
const isStale = values.check && readFileSync(path, "utf8") !== document;

const violations = cells.filter(({ wrong }) => wrong.length > 0);
const failures = violations.map(({ operation, entryPoint, name, wrong }) => ({ title: `${operation}, ${entryPoint} ${name}`, message: wrong.join("; ") }));
if (isStale) failures.push({ title: "docs/spec/outcomes.md", message: "differs from what was seen: npm run chaos -- --write" });
console.log(failures.length === 0 ? "" : "\nfailures:");
for (const { title, message } of failures) console.log(`  ${title}: ${message}`);

const permitted = cells.length - violations.length;
const cases = failures.map((failure) => ({ ...failure, ok: false }));
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ passed: permitted, failed: failures.length, cases }));
console.log(`${cells.length} outcomes: ${permitted} permitted, ${violations.length} not`);
process.exitCode = failures.length === 0 ? 0 : 1;
