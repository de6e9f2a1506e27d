// Runs every check that is not a test of behaviour, one line each; `--json FILE` writes the counts.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { checkAbi, checkCompiles, checkLint, checkProbe, checkPtx } from "./checks/compilers.mjs";
import { checkDocuments } from "./checks/documents.mjs";
import { checkCppImports, checkTypeScriptImports } from "./checks/imports.mjs";
import { checkImportRules } from "./checks/import-fixtures.mjs";
import { checkLintRules } from "./checks/lint-fixtures.mjs";

/** Each check answers what it found wrong; it throws, too, where it found nothing to look at. */
const checks = [
  ["TypeScript imports go one way", checkTypeScriptImports],
  ["C++ includes go one way", checkCppImports],
  ["a forbidden import is found", checkImportRules],
  ["documents keep their rules", checkDocuments],
  ["the driver's interface is the toolkit's", checkAbi],
  ["the kernel's PTX is what its source compiles to", checkPtx],
  ["the GPU probe builds and answers", checkProbe],
  ["every package type-checks", checkCompiles],
  ["eslint finds nothing", checkLint],
  ["CD-1 CD-2 CD-3 CD-4 IO-2 each lint rule refuses its violation", checkLintRules],
];

const cases = [];
for (const [title, check] of checks) {
  let problems;
  try {
    problems = await check();
  } catch (error) {
    problems = [error.message];
  }
  const ok = problems.length === 0;
  console.log(`${ok ? "ok     " : "FAILED "} ${title}`);
  for (const problem of problems) console.log(`        ${problem}`);
  cases.push({ title, ok, message: problems.join("\n") });
}

const passed = cases.filter(({ ok }) => ok).length;
const failed = cases.length - passed;
const report = process.argv[process.argv.indexOf("--json") + 1];
if (process.argv.includes("--json") && report !== undefined) {
  mkdirSync(dirname(report), { recursive: true });
  writeFileSync(report, JSON.stringify({ passed, failed, cases }));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
