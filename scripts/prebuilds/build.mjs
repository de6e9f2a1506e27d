// Builds the addons that the packages ship, for one target after another.
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildAddon } from "../../packages/vram-addon/dist/index.js";
import { projectFiles, root } from "../checks/tree.mjs";
import { ADDONS } from "./addons.mjs";
import { makeFloor } from "./floor.mjs";
import { inspectLibrary } from "./symbols.mjs";
import { TARGETS, compilerProgram, environment, output, toolchainProblem } from "./toolchain.mjs";

const SOURCES = /^(native\/(?!test|bench|fuzz|simulator\/test)|packages\/[^/]+\/(CMakeLists\.txt|include\/)|packages\/vram-addon\/src\/|scripts\/prebuilds\/|pnpm-lock\.yaml)/;

const packageFolder = (name) => join(root, "packages", name);
const shippedFolder = (name, target) => join(packageFolder(name), "prebuilds", target);
const shippedFiles = (target) => Object.entries(ADDONS).flatMap(([name, files]) => files.map((file) => join(shippedFolder(name, target), file)));

/** Whether a target's addons are there and no source is newer. */
function isFresh(target) {
  const files = shippedFiles(target);
  if (!files.every((file) => existsSync(file))) return false;
  const oldestMs = Math.min(...files.map((file) => statSync(file).mtimeMs));
  return projectFiles(SOURCES).every((file) => statSync(join(root, file)).mtimeMs <= oldestMs);
}

/** Builds a package's addons and answers their folder. */
function buildPackage(name, target, linking) {
  const { cmake, compiler } = TARGETS[target];
  const buildFolder = join(root, "build/prebuilds", target, name);
  const made = join(buildFolder, "Release");
  // CMake does not know the libraries of the floor, and links anew only what is missing.
  rmSync(made, { recursive: true, force: true });
  buildAddon({
    packageFolder: pathToFileURL(`${packageFolder(name)}/`),
    buildFolder,
    cmakeArguments: [
      ...cmake,
      `-DCMAKE_CXX_FLAGS=-ffile-prefix-map=${root}=`,
      ...["SHARED", "MODULE"].map((kind) => `-DCMAKE_${kind}_LINKER_FLAGS=${linking.join(" ")}`),
    ],
    env: { ...environment(), CXX: compiler },
  });
  for (const file of ADDONS[name]) output(compilerProgram(TARGETS[target], "strip"), [join(made, file)]);
  return made;
}

/** What each addon needs. @throws Error where one needs too much */
function inspect(target, files) {
  const inspected = files.map((file) => ({ file, byteLength: statSync(file).size, ...inspectLibrary(file) }));
  const problems = inspected.flatMap((each) => each.problems);
  if (problems.length > 0) throw new Error(`${target}: ${problems.join("\n")}`);
  return inspected;
}

function removeShipped(target) {
  for (const name of Object.keys(ADDONS)) rmSync(shippedFolder(name, target), { recursive: true, force: true });
}

/** Builds one target's addons into the packages' `prebuilds` and answers what each needs. @throws Error where one needs too much */
function buildTarget(target) {
  const problem = toolchainProblem(target);
  if (problem !== undefined) throw new Error(problem);
  removeShipped(target);
  const floor = makeFloor(TARGETS[target], root, join(root, "build/prebuilds", target, "floor"));
  const linking = ["-static-libstdc++", "-Wl,--build-id=sha1", ...floor];
  const made = Object.entries(ADDONS).flatMap(([name, files]) => {
    const folder = buildPackage(name, target, linking);
    return files.map((file) => ({ from: join(folder, file), to: join(shippedFolder(name, target), file) }));
  });
  const inspected = inspect(target, made.map(({ from }) => from));
  for (const { from, to } of made) {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
  }
  return inspected;
}

/**
 * Sees to it that the packages hold addons of their sources as they are now, inspected, and no others: builds those of every target,
 * or of those named, that are missing or older than their sources. A target whose compiler is not here is left out, unless it is
 * named or VRAM_REQUIRE_TOOLS is set. Answers `{ built, leftOut }`: the targets that were built now, and why others were not.
 *
 * @throws Error where an addon needs too much
 */
export function ensurePrebuilds(named) {
  const [fresh, stale] = [true, false].map((wanted) => Object.keys(TARGETS).filter((target) => isFresh(target) === wanted));
  for (const target of fresh) inspect(target, shippedFiles(target));
  const isNamed = (target) => named === undefined || named.includes(target);
  for (const target of stale.filter((each) => !isNamed(each))) removeShipped(target);
  return buildTargets(stale.filter(isNamed), { required: named !== undefined || process.env.VRAM_REQUIRE_TOOLS !== undefined });
}

/** Builds targets; without `required` those whose compiler is not here are left out, and what was built of them is removed. */
export function buildTargets(targets, { required }) {
  const problems = new Map(targets.map((target) => [target, required ? undefined : toolchainProblem(target)]));
  const [possible, impossible] = [true, false].map((wanted) => targets.filter((target) => (problems.get(target) === undefined) === wanted));
  for (const target of impossible) removeShipped(target);
  const built = possible.map((target) => ({ target, addons: buildTarget(target) }));
  return { built, leftOut: impossible.map((target) => problems.get(target)) };
}
