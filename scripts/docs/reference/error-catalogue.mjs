// The error catalogue, made from the code: what each code means and what to do, from the comments of the codes; messages and
// reasons from where errors are made; exit codes from the command.
import ts from "typescript";
import { OPEN, errorSites, sourceProgram } from "./error-sites.mjs";
import { nativeErrors } from "./native-errors.mjs";

const CODES = "packages/vram-residency/src/errors.ts";
const EXITS = "packages/vram-residency/src/command/exit-codes.ts";
/** A message of these names an argument and what it must be: too many to list, and plain. */
const PLAIN = new Set(["INVALID_CONFIG", "INVALID_INPUT"]);

/** Answers the document, and what is wrong with its sources. */
export function renderErrorCatalogue() {
  const program = sourceProgram();
  const rows = [...errorSites(program), ...nativeErrors()];
  const exits = exitCodes(program);
  const codes = codesOf(program);
  const problems = codes.filter(({ meaning }) => meaning === undefined).map(({ code }) => `${CODES}: ${code} has no comment with a remedy`);
  const sections = codes.map((each) => section(each, { rows: rowsOf(rows, each.code), exit: exits.get(each.code) ?? exits.get(undefined) }));
  return { text: `${HEAD}\n${sections.join("\n")}`, problems };
}

const HEAD = `# Errors

\`npm run docs:generate\` makes this document from the code; do not edit it.

Every failure is a \`VramError\` with a \`code\`, a \`kind\` and \`details\`; \`retriable\`: try again later; \`fatal\`: do not just try again; \`residency.state\` says whether the worker stopped; \`caller\`: correct the call.
The packages used alone throw errors of their own with the same codes. \`details.reason\` tells causes of one code apart. In a message, … stands for what varies; a message that is … alone is
as thrown by the package that the table names. Where a code has no table, the message names the argument or the call that failed.
What each operation answers when the driver fails is in [outcomes of driver faults](../spec/outcomes.md).
`;

/** The codes in their order, with what their comments say. */
function codesOf(program) {
  const table = constantIn(program, CODES, "KINDS");
  return table.properties.map((property) => ({
    code: property.name.getText(),
    kind: property.initializer.text,
    meaning: meaningOf(property.jsDoc?.at(-1)?.comment ?? ""),
  }));
}

/** What a code's comment says: when it happens, what to do, and where more is; undefined if it does not. */
export function meaningOf(comment) {
  return /^(?<when>[^\n].*?) Remedy: (?<remedy>\S.*?)( See: (?<see>\S+))?$/.exec(comment.replaceAll("\n", " "))?.groups;
}

/** By code; what has none of its own ends with that of \`undefined\`. */
function exitCodes(program) {
  const numbers = new Map(constantIn(program, EXITS, "EXIT").properties.map(({ name, initializer }) => [name.getText(), initializer.text]));
  const own = constantIn(program, EXITS, "ERROR_EXITS").properties.map(({ name, initializer }) => [name.getText(), numbers.get(initializer.name.text)]);
  return new Map([...own, [undefined, numbers.get("failed")]]);
}

/** The object that a constant of a file holds. */
function constantIn(program, path, name) {
  const file = program.getSourceFiles().find(({ fileName }) => fileName.endsWith(path));
  const declarations = file.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) => declarationList.declarations);
  let { initializer } = declarations.find((declaration) => declaration.name.getText() === name);
  while (!ts.isObjectLiteralExpression(initializer)) initializer = initializer.expression;
  return initializer;
}

/** One for each package and message of a code. */
function rowsOf(rows, code) {
  const byKey = new Map();
  for (const { package: name, codes, message, reasons } of rows) {
    if (!codes.includes(code) || !isTold(code, codes, { message, reasons })) continue;
    const row = byKey.get(`${name} ${message}`) ?? { name, message, reasons: new Set() };
    for (const reason of reasons) row.reasons.add(reason);
    byKey.set(`${name} ${message}`, row);
  }
  const all = [...byKey.values()];
  return all.filter((row) => !all.some((other) => isCaseOf(row, other))).sort((one, other) => (`${one.name} ${one.message}` < `${other.name} ${other.message}` ? -1 : 1));
}

/** Whether a row only says with a name in it what another says of any. */
function isCaseOf(row, other) {
  if (row === other || row.name !== other.name || [...row.reasons].join() !== [...other.reasons].join()) return false;
  return row.message.replaceAll(/"[\w.-]+"/g, `"${OPEN}"`) === other.message;
}

function isTold(code, codes, { message, reasons }) {
  if (PLAIN.has(code)) return reasons.length > 0;
  return codes.length === 1 && (/[a-z]/.test(message) || reasons.length > 0);
}

function section({ code, kind, meaning: { when, remedy, see } = {} }, { rows, exit }) {
  const more = see === undefined ? "" : ` See [${see}](../../${see}).`.replace("](../../docs/", "](../");
  const table = rows.length === 0 ? "" : `\n| message | \`reason\` | thrown by |\n|---|---|---|\n${rows.map(line).join("\n")}\n`;
  return `## ${code}\n\n\`${kind}\`; the command ends with ${exit}.\n\n${when}\n\n**What to do:** ${remedy}${more}\n${table}`;
}

function line({ name, message, reasons }) {
  const known = [...reasons].filter((reason) => reason !== OPEN || reasons.size === 1).sort();
  return `| ${cell(message)} | ${known.map((reason) => `\`${reason}\``).join(", ")} | ${name} |`;
}

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
