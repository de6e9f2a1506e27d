// Each example is whole by itself, so that it can be copied alone: what several need is the same file in each.
import { basename } from "node:path/posix";
import { groupBy } from "../group-by.mjs";
import { projectFiles, read } from "./tree.mjs";

/** Files of one name that say something else in each example, and are meant to. */
const OWN = /^(README\.md|package\.json|\.gitignore|worker\.js|worker\.test\.js)$/;

/** What is wrong with the files of examples, `[path, text]` each. */
export function copyProblems(files) {
  return [...groupBy(files, ([path]) => basename(path))].flatMap(([name, [[first, text], ...others]]) =>
    OWN.test(name) ? [] : others.filter(([, other]) => other !== text).map(([path]) => `${path} is not the same as ${first}`),
  );
}

export const checkExamples = () => copyProblems(projectFiles(/^examples\/[^/]+\/.*\.js$/).map((file) => [file, read(file)]));
