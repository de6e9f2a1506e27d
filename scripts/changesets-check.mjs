// node scripts/changesets-check.mjs [--since REVISION]: which packages changed without a changeset
import { parseArgs } from "node:util";
import { changesetProblemsSince, checkChangesets } from "./checks/changesets.mjs";

const { values } = parseArgs({ options: { since: { type: "string" } } });
const problems = values.since === undefined ? checkChangesets() : changesetProblemsSince(values.since);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
