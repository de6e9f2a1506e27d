// The reference: a Markdown file for each entry point of the public packages, made from their TSDoc.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Application, Logger, LogLevel } from "typedoc";
import { facadeLast } from "../../checks/packages.mjs";
import { root } from "../../checks/tree.mjs";
import { publicPackages } from "../../tarballs/public-packages.mjs";
import { parseDocument } from "../documents.mjs";

/** The facade re-exports from the others, and a symbol is described where it is first met. */
const PACKAGES = facadeLast(publicPackages(root));
const DOCUMENTED = ["Class", "Enum", "Function", "Interface", "TypeAlias", "Variable"];
/** Methods named by a symbol do what the language says of them, and those of PKCS #11 what that says. */
const KNOWN_ELSEWHERE = /\.\[\w+\] |\.Pkcs11Library\./;
/** Headings have anchors; those of properties would be several of one name in a document. */
const PROPERTY_ANCHOR = /<a id="[^"]*"><\/a> /g;

const TABLE = "table";
const OPTIONS = {
  plugin: ["typedoc-plugin-markdown"],
  name: "Reference",
  logLevel: "Warn",
  sortEntryPoints: false,
  skipErrorChecking: true,
  disableGit: true,
  disableSources: true,
  excludeExternals: true,
  excludePrivate: true,
  packagesRequiringDocumentation: [...PACKAGES.map(({ name }) => name), "docs"],
  requiredToBeDocumented: DOCUMENTED,
  validation: { invalidLink: true, notDocumented: true, notExported: true },
  sort: ["kind", "alphabetical"],
  readme: "none",
  entryFileName: "README.md",
  outputFileStrategy: "modules",
  hideBreadcrumbs: true,
  hideGenerator: true,
  hidePageHeader: true,
  useCodeBlocks: false,
  classPropertiesFormat: TABLE,
  interfacePropertiesFormat: TABLE,
  parametersFormat: TABLE,
  propertyMembersFormat: TABLE,
  typeAliasPropertiesFormat: TABLE,
  typeDeclarationFormat: TABLE,
  tableColumnSettings: { hideDefaults: true, hideInherited: true, hideModifiers: true, hideOverrides: true },
};

/** Collects what TypeDoc complains of: what is not documented, and links that lead nowhere. */
class Complaints extends Logger {
  texts = [];

  log(text, level) {
    if (level >= LogLevel.Warn && !KNOWN_ELSEWHERE.test(text)) this.texts.push(text);
  }
}

/** Answers the documents of entry points `{ name, file }`, `{ name: text }`, and what is wrong with their sources. */
export async function renderReference({ entries, tsconfig }) {
  const app = await Application.bootstrapWithPlugins({ ...OPTIONS, tsconfig: join(root, tsconfig), entryPoints: entries.map(({ file }) => join(root, file)) });
  const complaints = new Complaints();
  app.logger = complaints;
  const project = await app.convert();
  if (project === undefined) throw new Error(`the reference cannot be made: ${complaints.texts.join("; ")}`);
  for (const [index, module] of project.children.entries()) module.name = entries[index].name;
  app.validate(project);
  const folder = mkdtempSync(join(tmpdir(), "vram-reference-"));
  try {
    await app.outputs.writeOutput({ name: "markdown", path: folder }, project);
    return { texts: { ...textsIn(folder), "README.md": overview(entries) }, problems: complaints.texts };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every entry point of the packages: "vram-audit/winston" is `packages/vram-audit/src/winston.ts`. */
export function entryPoints() {
  return PACKAGES.flatMap(({ name, manifest }) => {
    const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");
    return entries.map((entry) => ({ name: join(name, entry), file: join("packages", name, "src", `${entry === "." ? "index" : entry}.ts`) }));
  });
}

function textsIn(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".md"));
  return Object.fromEntries(names.map((name) => [name, withKnownAnchors(readFileSync(join(folder, name), "utf8").replace(PROPERTY_ANCHOR, ""))]));
}

/** The plugin numbers an anchor, too, where a method of another interface has the same letters, and no heading. */
function withKnownAnchors(text) {
  const { anchors } = parseDocument("", text);
  return text.replace(/\]\(#([\w-]+)-1\)/g, (link, name) => (anchors.has(`${name}-1`) ? link : `](#${name})`));
}

const overview = (entries) => `# Reference

\`npm run docs:generate\` makes these documents from the code; do not edit them.

${entries.map(({ name }) => name).sort().map((name) => `- [${name}](${name}.md)`).join("\n")}
- [Errors](errors.md): every code, when it happens, and what to do
`;
