// Makes what goes into a bundle small: a compressed Node.js, and packages of others without what only compilers and readers need.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../run-program.mjs";

const UNUSED = /\.(d\.[cm]?ts|[cm]?ts|map|md)$/;
const OWN = /^(vram-|engine-addon)/;

/** Leaves `node.gz` in the place of the executable `node`, without its symbols where there is `strip`. */
export function compressNode(folder, say) {
  const { status } = spawnSync("strip", ["node"], { cwd: folder });
  if (status !== 0) say("node keeps its symbols, since there is no strip");
  runProgram("gzip", ["-9n", "node"], { cwd: folder });
}

/** The project's own packages stay as they were packed; of the engine's build only the addon is kept. */
export function slimPackages(modules) {
  const build = join(modules, "engine-addon/build");
  for (const name of readdirSync(build).filter((each) => each !== "Release")) rmSync(join(build, name), { recursive: true });
  for (const file of readdirSync(modules, { recursive: true })) {
    if (UNUSED.test(file) && !OWN.test(file)) rmSync(join(modules, file), { recursive: true });
  }
}
