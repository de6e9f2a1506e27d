// node scripts/changesets-check.mjs [--since REVISION]: which packages changed without a changeset
import { parseArgs } from "node:util";
import { checkChangesets } from "./checks/changesets.mjs";

const { values } = parseArgs({ options: { since: { type: "string" } } });
const problems = checkChangesets(values.since);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
