// Checks the documents: their blocks compile and run, their links lead somewhere. npm run docs:check [-- --json FILE]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecks } from "./checks/run-checks.mjs";
import { compileProblems, compiled } from "./docs/compile.mjs";
import { dataProblems } from "./docs/data-blocks.mjs";
import { readDocuments } from "./docs/documents.mjs";
import { writeFixtures } from "./docs/fixtures.mjs";
import { linkProblems, orphanProblems } from "./docs/links.mjs";
import { NOT_RUN } from "./docs/not-run.mjs";
import { generatedProblems } from "./docs/reference/generated.mjs";
import { documentRuleProblems } from "./docs/rule-fixtures.mjs";
import { runDocuments } from "./docs/run-documents.mjs";

const documents = readDocuments();
const blocks = documents.flatMap((document) => document.blocks);
const links = documents.flatMap((document) => document.links);
if (blocks.length === 0 || links.length === 0) throw new Error("the documents have no block or no link to check");
const template = mkdtempSync(join(tmpdir(), "vram-fixtures-"));

const checks = [
  ["links lead to files and headings that are there (addresses are not asked)", () => linkProblems(documents)],
  ["the README leads to every document", () => orphanProblems(documents)],
  ["every block is in a language that is checked, and parses", () => dataProblems(blocks)],
  ["TypeScript and JavaScript of the documents compiles", () => compileProblems(compiled(documents))],
  ["the reference and the error catalogue are what the code says", generatedProblems],
  ["commands and programs of the documents run", runProblems],
  ["each of these rules finds its violations", () => documentRuleProblems(template)],
];

async function runProblems() {
  const { problems, lacking, ran, lookedUp, leftOut } = await runDocuments(documents, { template, notRun: NOT_RUN });
  for (const block of lacking) console.log(`LEFT OUT: ${block}`);
  console.log(`        ${ran} commands and programs ran, ${lookedUp} were looked up, ${leftOut} are not run (scripts/docs/not-run.mjs)`);
  return ran === 0 ? [...problems, "nothing ran"] : problems;
}

try {
  await writeFixtures(template);
  await runChecks(checks);
} finally {
  rmSync(template, { recursive: true });
}
