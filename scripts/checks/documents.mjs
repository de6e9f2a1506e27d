// Documents: short README, links that lead somewhere, no machine's paths, no registry's host, no status reports.
import { existsSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { projectFiles, read, root } from "./tree.mjs";

const README_LINES = 150;
const REPORTS = /(status|summary|complete|completion|handover|progress)[^/]*\.md$/i;
// Spelled in two halves so that this file holds neither.
const REGISTRY = new RegExp(["registry\\.npm", "js\\.org|npm", "mirror\\."].join(""));
const MACHINE_PATH = /(?<![\w.])\/(?:home|root|work|Users)\/[\w.-]+/;

function linkProblems(file, text) {
  const targets = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, normalize(join(dirname(file), target)))))
    .map((target) => `${file}: no such file: ${target}`);
}

export function checkDocuments() {
  const documents = projectFiles(/\.md$/);
  const texts = projectFiles(/\.(md|json|ya?ml|[cm]?[jt]s|cpp|h|cu|inc|cmake|txt)$|^\.ci\//);
  const readmeLines = read("README.md").split("\n").length;
  return [
    ...(readmeLines > README_LINES ? [`README.md has ${readmeLines} lines, more than ${README_LINES}`] : []),
    ...documents.filter((file) => REPORTS.test(basename(file))).map((file) => `${file}: a document that reports instead of explaining`),
    ...documents.flatMap((file) => linkProblems(file, read(file))),
    ...texts.flatMap((file) =>
      read(file)
        .split("\n")
        .flatMap((line, index) => [
          ...(REGISTRY.test(line) ? [`${file}:${index + 1}: names a registry's host`] : []),
          ...(MACHINE_PATH.test(line) ? [`${file}:${index + 1}: names a path of one machine`] : []),
        ]),
    ),
  ];
}
