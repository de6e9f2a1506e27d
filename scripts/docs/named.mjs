// Commands that are looked up instead of run: npm installs what this project knows, and runs scripts that are there.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { read, root } from "../checks/tree.mjs";

const LIFECYCLE = ["start", "test"];
const MANIFESTS = ["package.json", ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/package.json`)];

/** What is wrong with a command of this kind; `undefined` if nothing is, `null` if it is none. */
export function namedProblem(file, text) {
  const [program, verb, ...rest] = text.replace(/\s#.*$/, "").trim().split(/\s+/);
  if (program === "npm" && (verb === "install" || verb === "i")) return installProblem(rest);
  if (program === "npm" && LIFECYCLE.includes(verb)) return scriptProblem(file, verb);
  if (program === "npm" && verb === "run") return scriptProblem(file, rest.find((word) => !word.startsWith("-")));
  if (program === "node" && verb?.startsWith("scripts/")) return existsSync(join(root, verb)) ? undefined : `there is no ${verb}`;
  return null;
}

function installProblem(words) {
  const known = new Set(MANIFESTS.map((file) => JSON.parse(read(file))).flatMap((each) => [each.name, ...dependenciesOf(each)]));
  const unknown = words.filter((word) => !word.startsWith("-") && !known.has(word));
  return unknown.length === 0 ? undefined : `no package of this project, and none that it depends on: ${unknown.join(", ")}`;
}

const dependenciesOf = ({ dependencies, devDependencies, peerDependencies }) =>
  Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });

/** A document's scripts are those of the package that holds it, or of the repository. */
function scriptProblem(file, name) {
  const manifests = ancestors(file).map((folder) => join(folder, "package.json")).filter((manifest) => existsSync(join(root, manifest)));
  const isThere = manifests.some((manifest) => Object.hasOwn(JSON.parse(read(manifest)).scripts ?? {}, name));
  return name === undefined || isThere ? undefined : `no script "${name}" in ${manifests.join(", ")}`;
}

function ancestors(file) {
  const folder = dirname(file);
  return folder === "." ? ["."] : [folder, ...ancestors(folder)];
}
