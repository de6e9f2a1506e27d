// Packs every published package and the example engine, installs the tarballs in a folder and builds the engine there.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checks/tree.mjs";
import { ADDONS } from "../prebuilds/addons.mjs";
import { toolchainProblem } from "../prebuilds/toolchain.mjs";
import { runProgram } from "../run-program.mjs";
import { packFolder, packPublic } from "../tarballs/pack.mjs";
import { readPacked } from "../tarballs/tarball-problems.mjs";

const ENGINE = join(root, "examples/engine-addon");
const PROGRAMS = ["program.mjs", "program.cjs", "scenario.cjs"];
const SOURCE_BUILDS = Object.keys(ADDONS).map((name) => `${name}-build`);

/** Prebuilt addons for this machine go into the tarballs, or what the addons are built from in the app; that is said aloud. */
function prebuildTargets() {
  const target = `linux-${process.arch}`;
  const problem = process.env.VRAM_REQUIRE_TOOLS === undefined ? toolchainProblem(target) : undefined;
  if (problem === undefined) return [target];
  console.log(`        the addons are not prebuilt, but built from the packed sources: ${problem}`);
  return [];
}

/**
 * `app` becomes an app with the packages, the engine and the programs; the tarballs go to `tarballs`. Both must not exist. Answers the
 * packages and the targets that they have addons for.
 */
export function installPacked(app, tarballs) {
  mkdirSync(app, { recursive: true });
  const targets = prebuildTargets();
  const packed = packPublic(tarballs, targets);
  const files = [...packed.map(({ tarball }) => tarball), packFolder(ENGINE, tarballs)];
  const { version } = JSON.parse(readFileSync(join(ENGINE, "node_modules/cmake-js/package.json"), "utf8"));
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true }));
  runProgram("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...files, `cmake-js@${version}`], { cwd: app });
  if (targets.length === 0) for (const command of SOURCE_BUILDS) runProgram("npx", ["--no", command], { cwd: app });
  runProgram("npx", ["cmake-js", "compile", "--directory", "node_modules/engine-addon"], { cwd: app });
  for (const name of PROGRAMS) cpSync(join(root, "scripts/packed", name), join(app, name));
  return { packed: packed.map(({ name, tarball }) => readPacked(name, tarball)), targets };
}
