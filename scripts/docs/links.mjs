// Links of documents: to files and headings that are there, to addresses that could be one; and no document that nobody finds.
// Nothing is asked over the network.
import { dirname, join } from "node:path/posix";
import { foldersOf, projectFiles } from "../checks/tree.mjs";

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const START = "README.md";

/** What is wrong with the links of documents. `exists` answers for a path from the project's root. */
export function linkProblems(documents, exists = isOfProject()) {
  const byFile = new Map(documents.map((document) => [document.file, document]));
  return documents.flatMap(({ file, links }) =>
    links.flatMap(({ line, href }) => {
      const problem = SCHEME.test(href) ? addressProblem(href) : targetProblem(file, href, { byFile, exists });
      return problem === undefined ? [] : [`${file}:${line}: ${problem}`];
    }),
  );
}

/** Whether a path is a file of the project, or a folder of one: what git ignores is not there for who clones it. */
export function isOfProject() {
  const paths = new Set(projectFiles(/./).flatMap((file) => [file, ...foldersOf(file)]));
  return (path) => paths.has(path.replace(/\/$/, ""));
}

function addressProblem(href) {
  if (!URL.canParse(href)) return `no address: ${href}`;
  const { protocol, hostname } = new URL(href);
  return protocol === "https:" && hostname.includes(".") ? undefined : `no https address of a host: ${href}`;
}

function targetProblem(file, href, { byFile, exists }) {
  const { path, anchor } = targetOf(file, href);
  if (!exists(path)) return `no such file: ${href}`;
  if (anchor === undefined || byFile.get(path)?.anchors.has(anchor)) return undefined;
  return `no such heading: ${href}`;
}

/** A link without a path is to its own document. */
function targetOf(file, href) {
  const [path, anchor] = decodeURI(href).split("#");
  return { path: path === "" ? file : join(dirname(file), path), anchor };
}

/** Documents in docs/ that no chain of links from the README reaches. */
export function orphanProblems(documents) {
  const byFile = new Map(documents.map((document) => [document.file, document]));
  const reached = new Set([START]);
  for (const file of reached) {
    for (const { href } of byFile.get(file)?.links ?? []) {
      if (!SCHEME.test(href)) reached.add(targetOf(file, href).path);
    }
  }
  return documents
    .map(({ file }) => file)
    .filter((file) => file.startsWith("docs/") && !reached.has(file))
    .map((file) => `${file}: no link leads here from ${START}`);
}
