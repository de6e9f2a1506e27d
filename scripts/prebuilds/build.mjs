// Builds the addons that the packages ship, for one target after another.
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildAddon } from "../../packages/vram-addon/dist/index.js";
import { projectFiles, root } from "../checks/tree.mjs";
import { makeFloor } from "./floor.mjs";
import { inspectLibrary } from "./symbols.mjs";
import { TARGETS, compilerProgram, output, toolchainProblem } from "./toolchain.mjs";

const ADDONS = {
  "vram-cuda": ["vram_cuda.node"],
  "vram-seal": ["vram_secret.node"],
  "vram-simulator": ["libvram_simulator.so", "vram_simulator_control.node", "vram_tamper.node"],
};
const SOURCES = /^(native\/(?!test|bench|fuzz|simulator\/test)|packages\/[^/]+\/(CMakeLists\.txt|include\/)|packages\/vram-addon\/src\/|scripts\/prebuilds\/|pnpm-lock\.yaml)/;
/** What would change the bytes from outside. */
const OUTSIDE = ["CFLAGS", "CXXFLAGS", "LDFLAGS", "CPATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH"];

const packageFolder = (name) => join(root, "packages", name);
const shippedFiles = (target) => Object.entries(ADDONS).flatMap(([name, files]) => files.map((file) => join(packageFolder(name), "prebuilds", target, file)));

/** Whether a target's addons are there and no source is newer. */
function isFresh(target) {
  const files = shippedFiles(target);
  if (!files.every((file) => existsSync(file))) return false;
  const oldestMs = Math.min(...files.map((file) => statSync(file).mtimeMs));
  return projectFiles(SOURCES).every((file) => statSync(join(root, file)).mtimeMs <= oldestMs);
}

function buildPackage(name, target, linking) {
  const buildFolder = join(root, "build/prebuilds", target, name);
  // CMake does not know the libraries of the floor, and links anew only what is missing.
  rmSync(join(buildFolder, "Release"), { recursive: true, force: true });
  buildAddon({
    packageFolder: pathToFileURL(`${packageFolder(name)}/`),
    buildFolder,
    cmakeArguments: [
      ...TARGETS[target].cmake,
      `-DCMAKE_CXX_FLAGS=-ffile-prefix-map=${root}=`,
      ...["SHARED", "MODULE"].map((kind) => `-DCMAKE_${kind}_LINKER_FLAGS=${linking.join(" ")}`),
    ],
  });
  const shipped = join(packageFolder(name), "prebuilds", target);
  rmSync(shipped, { recursive: true, force: true });
  mkdirSync(shipped, { recursive: true });
  for (const file of ADDONS[name]) {
    copyFileSync(join(buildFolder, "Release", file), join(shipped, file));
    output(compilerProgram(TARGETS[target], "strip"), [join(shipped, file)]);
  }
}

/** Builds one target's addons into the packages' `prebuilds` and answers what each needs. @throws Error where one needs too much */
function buildTarget(target) {
  const problem = toolchainProblem(target);
  if (problem !== undefined) throw new Error(problem);
  for (const name of OUTSIDE) delete process.env[name];
  process.env.CXX = TARGETS[target].compiler;
  const floor = makeFloor(TARGETS[target], root, join(root, "build/prebuilds", target, "floor"));
  for (const name of Object.keys(ADDONS)) buildPackage(name, target, ["-static-libstdc++", "-Wl,--build-id=sha1", ...floor]);
  const inspected = shippedFiles(target).map((file) => ({ file, byteLength: statSync(file).size, ...inspectLibrary(file) }));
  const problems = inspected.flatMap((each) => each.problems);
  if (problems.length === 0) return inspected;
  for (const file of shippedFiles(target)) rmSync(file);
  throw new Error(`${target}: ${problems.join("\n")}`);
}

/**
 * Builds the addons of every target, or of those named, where they are missing or older than their sources. A target whose
 * compiler is not here is left out, unless it is named or VRAM_REQUIRE_TOOLS is set. Answers `{ built, leftOut }`: the targets
 * that were built now, and why others were not.
 */
export function ensurePrebuilds(named) {
  const stale = (named ?? Object.keys(TARGETS)).filter((target) => !isFresh(target));
  return buildTargets(stale, { required: named !== undefined || process.env.VRAM_REQUIRE_TOOLS !== undefined });
}

/** Builds targets; without `required` those whose compiler is not here are left out. */
export function buildTargets(targets, { required }) {
  const problems = new Map(targets.map((target) => [target, required ? undefined : toolchainProblem(target)]));
  const leftOut = [...problems.values()].filter((problem) => problem !== undefined);
  const built = targets.filter((target) => problems.get(target) === undefined).map((target) => ({ target, addons: buildTarget(target) }));
  return { built, leftOut };
}
