// Runs each example's own tests in a folder that holds nothing but its files, on the packages that were installed from tarballs.
import { spawnSync } from "node:child_process";
import { cpSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, root } from "../checks/tree.mjs";

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The examples that have tests, as paths from the project's root. */
export function examples() {
  const folders = projectFiles(/^examples\/[^/]+\/package\.json$/).map((file) => file.replace("/package.json", ""));
  return folders.filter((folder) => readJson(join(root, folder, "package.json")).scripts?.test !== undefined);
}

/** Copies an example into `app`, and runs its tests there. @returns what is wrong */
export function exampleProblems(app, folder) {
  for (const file of projectFiles(new RegExp(`^${folder}/`))) cpSync(join(root, file), join(app, file));
  const foreign = foreignPackages(app, readJson(join(root, folder, "package.json")));
  if (foreign.length > 0) return foreign.map((name) => `${name} does not come out of a tarball`);
  const { status, stdout, stderr } = spawnSync("npm", ["test", "--", "--test-reporter=tap"], { cwd: join(app, folder), encoding: "utf8" });
  const { passed, problems } = readTap(stdout);
  console.log(`        ${passed} tests passed`);
  if (status === 0 && problems.length === 0 && passed > 0) return [];
  return [...problems, `npm test ended with ${status}:`, ...`${stdout}${stderr}`.split("\n")];
}

/** What an example asks for and did not come out of a tarball. */
function foreignPackages(app, { dependencies = {}, devDependencies = {} }) {
  const { packages } = readJson(join(app, "package-lock.json"));
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    const path = `node_modules/${name}`;
    const { resolved = "" } = packages[path] ?? {};
    return !/^file:.*\.tgz$/.test(resolved) || !lstatSync(join(app, path)).isDirectory();
  });
}

/** Of a report by node:test. A test that was skipped has shown nothing. */
function readTap(text) {
  const tests = [...text.matchAll(/^(?<verdict>ok|not ok) \d+ - (?<title>.*)$/gm)].map(({ groups }) => groups);
  const problems = tests.filter(({ verdict, title }) => verdict !== "ok" || / # (SKIP|TODO)/.test(title)).map(({ title }) => title);
  return { passed: tests.length - problems.length, problems };
}
