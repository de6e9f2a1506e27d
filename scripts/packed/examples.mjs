// Runs each example's own tests in a folder that holds nothing but its files, on the packages that were installed from tarballs.
import { spawnSync } from "node:child_process";
import { cpSync, lstatSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { projectFiles, root } from "../checks/tree.mjs";

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The examples that have tests, as paths from the project's root. */
export function examples() {
  const folders = projectFiles(/^examples\/[^/]+\/package\.json$/).map((file) => file.replace("/package.json", ""));
  return folders.filter((folder) => readJson(join(root, folder, "package.json")).scripts?.test !== undefined);
}

/** Copies an example into `app`, and runs its tests there. @returns the cases of a report */
export function testExample(app, folder) {
  for (const file of projectFiles(new RegExp(`^${folder}/`))) cpSync(join(root, file), join(app, file));
  const foreign = foreignPackages(app, readJson(join(root, folder, "package.json")));
  if (foreign.length > 0) return [{ title: `${folder} runs on tarballs alone`, ok: false, message: foreign.join("\n") }];
  const { status, stdout, stderr } = spawnSync("npm", ["test", "--", "--test-reporter=tap"], { cwd: join(app, folder), encoding: "utf8" });
  const cases = readTap(stdout).map(({ title, ok }) => ({ title: `${folder}: ${title}`, ok, message: ok ? "" : stdout }));
  const isTold = cases.length > 0 && (status === 0 || cases.some(({ ok }) => !ok));
  return isTold ? cases : [...cases, { title: `${folder}: npm test ends with 0 and has tests`, ok: false, message: `${stdout}${stderr}` }];
}

/** What an example asks for and did not come out of a tarball. */
function foreignPackages(app, { dependencies = {}, devDependencies = {} }) {
  const { packages } = readJson(join(app, "package-lock.json"));
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    const path = join(app, "node_modules", name);
    const { resolved = "", link = false } = packages[relative(app, path)] ?? {};
    return link || !/^file:.*\.tgz$/.test(resolved) || !lstatSync(path).isDirectory();
  });
}

/** A test that was skipped has shown nothing. */
export function readTap(text) {
  return [...text.matchAll(/^(not )?ok \d+ - (.*)$/gm)].map(([, failed, title]) => ({ title, ok: failed === undefined && !/ # (SKIP|TODO)/.test(title) }));
}
