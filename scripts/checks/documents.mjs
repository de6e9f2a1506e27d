// Documents: short README, no machine's paths, no registry's host, no status reports. What they say is checked by docs:check.
import { basename } from "node:path/posix";
import { projectFiles, read } from "./tree.mjs";

const README_LINES = 150;
const REPORTS = /(status|summary|complete|completion|handover|progress)[^/]*\.md$/i;
// Spelled in parts so that this file and its fixtures hold neither.
const REGISTRY = new RegExp(["registry\\.npm", "js\\.org|npm", "mirror\\."].join(""));
const MACHINE_PATH = new RegExp(["(?<![\\w.])/(?:home|root|work|", "Users)/[\\w.-]+"].join(""));

/** What is wrong with the shape of one document. */
export function documentProblems(file, text) {
  const lines = text.replace(/\n$/, "").split("\n").length;
  return [
    ...(basename(file) === "README.md" && lines >= README_LINES ? [`${file} has ${lines} lines, not under ${README_LINES}`] : []),
    ...(REPORTS.test(basename(file)) ? [`${file}: a document that reports instead of explaining`] : []),
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
  return [
    ...(documents.includes("README.md") ? [] : ["there is no README.md"]),
    ...documents.flatMap((file) => documentProblems(file, read(file))),
    ...texts.flatMap((file) => textProblems(file, read(file))),
  ];
}
