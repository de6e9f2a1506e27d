// Documents that break a rule, one problem each, and neighbours that the rules permit.
import { compileProblems, compiled } from "./compile.mjs";
import { dataProblems } from "./data-blocks.mjs";
import { parseDocument } from "./documents.mjs";
import { isOfProject, linkProblems, orphanProblems } from "./links.mjs";
import { meaningOf } from "./reference/error-catalogue.mjs";
import { differences } from "./reference/generated.mjs";
import { renderReference } from "./reference/render.mjs";
import { runDocuments } from "./run-documents.mjs";

const block = (opening, ...lines) => ["```" + opening, ...lines, "```", ""].join("\n");
const nothingThere = () => false;
const allThere = () => true;

const links = (exists) => (documents) => linkProblems(documents, exists);
const data = (documents) => dataProblems(documents.flatMap(({ blocks }) => blocks));
const compile = (documents) => compileProblems(compiled(documents));
const run = async (documents, template) => (await runDocuments(documents, { template, notRun: [] })).problems;
const runWithout = (tool) => async (documents, template) => (await runDocuments(documents, { template, notRun: [], absentTools: [tool] })).problems;
const runLeaving = (command) => async (documents, template) => (await runDocuments(documents, { template, notRun: [{ command }] })).problems;

/** A check, and the documents by file. */
const VIOLATIONS = [
  [links(nothingThere), { "docs/a.md": "[b](b.md)" }],
  [links(nothingThere), { "docs/a.md": "[b](../c/b.md#part)" }],
  [links(isOfProject()), { "docs/a.md": "[ignored by git](../node_modules)" }],
  [links(allThere), { "docs/a.md": "# A part\n\n[b](#another-part)" }],
  [links(allThere), { "docs/a.md": "[b](b.md#part)", "docs/b.md": "# Another part" }],
  [links(allThere), { "docs/a.md": "[b](http://example.org/b)" }],
  [links(allThere), { "docs/a.md": "[b](https://b)" }],
  [orphanProblems, { "README.md": "[b](docs/b.md)", "docs/b.md": "", "docs/c.md": "[b](b.md)" }],
  [data, { "docs/a.md": block("", "text") }],
  [data, { "docs/a.md": block("cobol", "text") }],
  [data, { "docs/a.md": block("sh run", "true") }],
  [data, { "docs/a.md": block("ts worker.ts run", "") }],
  [data, { "docs/a.md": block("json", "{ a: 1 }") }],
  [data, { "docs/a.md": block("jsonc", "{ \"a\": 1") }],
  [data, { "docs/a.md": block("yaml", "a: [1") }],
  [data, { "docs/a.md": block("ini", "a line") }],
  [run, { "docs/a.md": block("sh", "false") }],
  [run, { "docs/a.md": block("sh", "true # exits 1") }],
  [run, { "docs/a.md": block("sh", "false | true") }],
  [run, { "docs/a.md": block("sh", "vram-residency digest absent") }],
  [run, { "docs/a.md": block("sh", "true &") }],
  [run, { "docs/a.md": block("sh", "npm run no-such-script") }],
  [run, { "docs/a.md": block("sh", "npm run") }],
  [run, { "docs/a.md": block("sh", "npm install no-such-package-of-ours") }],
  [run, { "docs/a.md": block("sh", "pnpm add no-such-package-of-ours") }],
  [run, { "docs/a.md": block("sh", "npx --no no-such-command-of-ours") }],
  [run, { "docs/a.md": "Run `npx no-such-command-of-ours`." }],
  [run, { "docs/a.md": "Run `pnpm exec no-such-command-of-ours`." }],
  [run, { "docs/a.md": block("sh", "npx vram-residency doctor --simulate") }],
  [runWithout("jq"), { "docs/a.md": block("sh", "jq -n absent") + block("sh", "false") }],
  [runWithout("jq"), { "docs/a.md": block("sh", "jq -n 1") + block("js run", "process.exitCode = 1;") }],
  [run, { "docs/a.md": "Run `node scripts/absent.mjs`." }],
  [run, { "docs/a.md": block("ts run", "process.exitCode = 1;") }],
  [run, { "docs/a.md": block("js run", 'throw new Error("no");') }],
  [runLeaving(/^rm /), { "docs/a.md": block("sh", "true") }],
];

/** Compiled in one program, each a document of its own. */
const MISCOMPILED = [
  block("ts", 'import { openDoor } from "vram-residency";'),
  block("ts", "const first: string = [\"a\"][0];"),
  block("ts", "await residency.seal();"),
  block("ts", "nobody.told();"),
  block("js", '(await import("vram-seal")).generates();'),
  block("js", 'require("vram-seal").generates();'),
];

const PERMITTED = [
  [links(allThere), { "docs/a.md": "# `code` & *more*\n\n[a](#code--more) [b](https://example.org/b) [c](../c.txt)" }],
  [links(isOfProject()), { "docs/a.md": "[a](../LICENSE) [b](guide/) [c](guide)" }],
  [links(allThere), { "docs/a.md": "# Part\n\n# Part\n\n[a](#part-1)" }],
  [orphanProblems, { "README.md": "[b](docs/b.md#part)", "docs/b.md": "[c](sub/c.md)", "docs/sub/c.md": "" }],
  [data, { "docs/a.md": block("text", "?") + block("json", "[1]") + block("jsonc", "[1] // one") + block("yaml", "a: 1") + block("ini", "[a]", "b=1") }],
  [compile, { "docs/a.md": block("ts", "await using mine = shard;", "export const { digest } = shard;") }],
  [compile, { "docs/a.md": block("js", "export const twice = (value) => 2 * value;") }],
  [run, { "docs/a.md": block("sh", "cd audit", "NAME=here", "", "# a comment", "false \\", "  # exits 1") }],
  [run, { "docs/a.md": block("sh", "cat > f <<'END'", "text", "END", "grep -q text f", "cd audit", "A=b", 'test "$A" = b && test -e audit-v1.checkpoints') }],
  [run, { "docs/a.md": block("json data/a.json", '{ "a": 1 }') + block("js run", 'import { readFileSync } from "node:fs";', 'JSON.parse(readFileSync("data/a.json")).a.toFixed();') }],
  [run, { "docs/a.md": block("sh", "vram-residency hold model.safetensors --audit /var/lib/worker/audit &", "npx vram-residency doctor --simulate # exits 3") }],
  [run, { "docs/a.md": "`npx --no vram-seal-build`, `pnpm exec vram-seal-build`, `npx changeset`, `npx` and `npx vram-residency doctor`" }],
  [run, { "docs/a.md": block("ts run", 'import { generate } from "vram-residency";', "const key: { close(): void } = await generate();", "key.close();") }],
  [runLeaving(/^rm /), { "docs/a.md": block("sh", "rm -r /") }],
];

const toldBy = async ([check, files], template) => check(Object.entries(files).map(([file, text]) => parseDocument(file, text)), template);
const asText = ([, files]) => JSON.stringify(files);

/** @param template the folder with the fixtures for commands */
export async function documentRuleProblems(template) {
  const problems = [...compileFixtureProblems(), ...(await generatedFixtureProblems())];
  for (const fixture of VIOLATIONS) {
    const told = await toldBy(fixture, template);
    if (told.length !== 1) problems.push(`not found once: ${asText(fixture)}: ${told}`);
  }
  for (const fixture of PERMITTED) {
    const told = await toldBy(fixture, template);
    if (told.length !== 0) problems.push(`wrongly found: ${asText(fixture)}: ${told}`);
  }
  return problems;
}

function compileFixtureProblems() {
  const told = compile(MISCOMPILED.map((text, index) => parseDocument(`docs/${index}.md`, text)));
  const toldOf = (index) => told.filter((problem) => problem.startsWith(`docs/${index}.md:2: `));
  return MISCOMPILED.flatMap((text, index) => (toldOf(index).length === 1 ? [] : [`not found once: ${text}: ${toldOf(index)}`]));
}

/** A symbol without a comment, a link to nothing, a code without a remedy, and documents that are not as they are made. */
async function generatedFixtureProblems() {
  const folder = "scripts/docs/reference/fixture";
  const entries = ["documented", "undocumented"].map((name) => ({ name, file: `${folder}/${name}.ts` }));
  const { problems } = await renderReference({ entries, tsconfig: `${folder}/tsconfig.json` });
  const expected = [/Undocumented .*does not have any documentation/, /"Nowhere"/];
  const differing = differences({ "a.md": "1", "b.md": "1", "c.md": "1" }, { "a.md": "1", "b.md": "2", "d.md": "1" });
  return [
    ...(problems.length === 2 && expected.every((one) => problems.some((problem) => one.test(problem))) ? [] : [`the reference's fixture: ${problems}`]),
    ...(meaningOf("It failed.") === undefined && meaningOf("It failed.\nRemedy: try again.") !== undefined ? [] : ["a code without a remedy passes"]),
    ...(differing.length === 3 ? [] : [`documents that differ: ${differing}`]),
  ];
}
