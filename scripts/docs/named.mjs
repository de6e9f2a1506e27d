// Commands that are looked up instead of run: npm and pnpm install what this project knows, and run what is there.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path/posix";
import { foldersOf, read, root } from "../checks/tree.mjs";

const LIFECYCLE = ["start", "test"];
/** It is run. */
const OWN_COMMAND = "vram-residency";
const MANIFESTS = ["package.json", ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/package.json`)].map((file) => JSON.parse(read(file)));

/** What is wrong with a command of this kind; `undefined` if nothing is, `null` if it is none. */
export function namedProblem(file, text) {
  const [program, verb, ...rest] = text.replace(/\s#.*$/, "").trim().split(/\s+/);
  if (program === "npm" && (verb === "install" || verb === "i")) return installProblem(rest);
  if (program === "pnpm" && verb === "add") return installProblem(rest);
  if (program === "pnpm" && verb === "exec") return commandProblem(file, firstName(rest));
  if (program === "npx") return firstName([verb, ...rest]) === OWN_COMMAND ? null : commandProblem(file, firstName([verb, ...rest]));
  if (program === "npm" && LIFECYCLE.includes(verb)) return scriptProblem(file, verb);
  if (program === "npm" && verb === "run") return scriptProblem(file, firstName(rest));
  if (program === "node" && verb?.startsWith("scripts/")) return existsSync(join(root, verb)) ? undefined : `there is no ${verb}`;
  return null;
}

const firstName = (words) => words.find((word) => word !== undefined && !word.startsWith("-"));

function installProblem(words) {
  const known = new Set(MANIFESTS.flatMap((each) => [each.name, ...dependenciesOf(each)]));
  const unknown = words.filter((word) => !word.startsWith("-") && !known.has(word));
  return unknown.length === 0 ? undefined : `no package of this project, and none that it depends on: ${unknown.join(", ")}`;
}

const dependenciesOf = ({ dependencies, devDependencies, peerDependencies }) =>
  Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });

/** A command is one of this project's packages, its package manager, or linked where the document's package lies or above. */
function commandProblem(file, name) {
  if (name === undefined) return undefined;
  const own = MANIFESTS.flatMap(({ bin, packageManager }) => [...Object.keys(bin ?? {}), packageManager?.split("@")[0]]);
  const isLinked = foldersOf(file).some((folder) => existsSync(join(root, folder, "node_modules/.bin", name)));
  return own.includes(name) || isLinked ? undefined : `no package of this project, and none that it depends on, has a command ${name}`;
}

/** A document's scripts are those of the package that holds it, or of the repository. */
function scriptProblem(file, name) {
  if (name === undefined) return "no script is named";
  const manifests = foldersOf(file).map((folder) => join(folder, "package.json")).filter((manifest) => existsSync(join(root, manifest)));
  const isThere = manifests.some((manifest) => Object.hasOwn(JSON.parse(read(manifest)).scripts ?? {}, name));
  return isThere ? undefined : `no script "${name}" in ${manifests.join(", ")}`;
}
