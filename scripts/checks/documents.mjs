// Documents: short README, links that lead somewhere, no machine's paths, no registry's host, no status reports.
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path/posix";
import { projectFiles, read, root } from "./tree.mjs";

const README_LINES = 150;
const REPORTS = /(status|summary|complete|completion|handover|progress)[^/]*\.md$/i;
// Spelled in parts so that this file and its fixtures hold neither.
const REGISTRY = new RegExp(["registry\\.npm", "js\\.org|npm", "mirror\\."].join(""));
const MACHINE_PATH = new RegExp(["(?<![\\w.])/(?:home|root|work|", "Users)/[\\w.-]+"].join(""));

const linksOf = (text) =>
  [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target));

/** What is wrong with one document. `exists` answers for a path from the project's root. */
export function documentProblems(file, text, exists = (path) => existsSync(join(root, path))) {
  const lines = text.replace(/\n$/, "").split("\n").length;
  return [
    ...(basename(file) === "README.md" && lines >= README_LINES ? [`${file} has ${lines} lines, not under ${README_LINES}`] : []),
    ...(REPORTS.test(basename(file)) ? [`${file}: a document that reports instead of explaining`] : []),
    ...linksOf(text)
      .filter((target) => !exists(join(dirname(file), target)))
      .map((target) => `${file}: no such file: ${target}`),
  ];
}

/** What no text file of the project may hold. */
export const textProblems = (file, text) =>
  text.split("\n").flatMap((line, index) => [
    ...(REGISTRY.test(line) ? [`${file}:${index + 1}: names a registry's host`] : []),
    ...(MACHINE_PATH.test(line) ? [`${file}:${index + 1}: names a path of one machine`] : []),
  ]);

export function checkDocuments() {
  const documents = projectFiles(/\.md$/);
  const texts = projectFiles(/\.(md|json|ya?ml|[cm]?[jt]s|cpp|h|cu|inc|cmake|txt)$|^\.ci\//);
  const linked = documents.some((file) => linksOf(read(file)).length > 0);
  return [
    ...(documents.includes("README.md") ? [] : ["there is no README.md"]),
    ...(linked ? [] : ["no document links to another"]),
    ...documents.flatMap((file) => documentProblems(file, read(file))),
    ...texts.flatMap((file) => textProblems(file, read(file))),
  ];
}
