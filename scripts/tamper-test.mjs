// Edits, removes, adds, moves and cuts lines and whole segments of an audit log with rotation, at every kind of place, and compares what a
// verifier names with what was done. npm run tamper-test [-- --events N]. Ends with 1 where a change is not found, or another line or reason named.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { casesOf } from "./tamper-test/cases.mjs";
import { checkCase, writeSample } from "./tamper-test/sample.mjs";

const LEAST_EVENTS = 100;

const { values } = parseArgs({ options: { events: { type: "string", default: "10000" } } });
const events = Number(values.events);
if (!Number.isSafeInteger(events) || events < LEAST_EVENTS) {
  console.error(`--events must be an integer of at least ${LEAST_EVENTS}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "vram-tamper-"));
let wrong = 0;
try {
  const sample = await writeSample(join(folder, "log"), events);
  const cases = casesOf(sample.segments);
  for (const each of cases) {
    const found = await checkCase(sample, each);
    if (found === each.expected) continue;
    wrong += 1;
    console.log(`FAILED  ${each.title}: ${found}, expected ${each.expected}`);
  }
  const lines = sample.segments.reduce((sum, { lines: { length } }) => sum + length, 0);
  console.log(`${lines} lines in ${sample.segments.length} segments, ${cases.length} changes: ${cases.length - wrong} found and named, ${wrong} not`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;
