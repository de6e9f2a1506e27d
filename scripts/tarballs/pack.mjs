// Packs packages as pnpm publishes them: `workspace:` and `catalog:` become versions, times and owners are fixed.
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "../checks/tree.mjs";
import { pnpmArguments } from "../pnpm.mjs";
import { ensurePrebuilds } from "../prebuilds/build.mjs";
import { runProgram } from "../run-program.mjs";
import { publicPackages } from "./public-packages.mjs";

/** Runs the workspace's pnpm at its root or in `cwd`, and answers what it printed. */
export const runPnpm = (args, cwd = root) => runProgram("npx", pnpmArguments(args), { cwd });

/** Packs the package in `folder` into `destination`; answers the tarball's path. */
export function packFolder(folder, destination) {
  const [answer] = /^\{[^]*^\}/m.exec(runPnpm(["pack", "--json", "--pack-destination", destination], folder)) ?? [];
  if (answer === undefined) throw new Error("pnpm pack does not tell what it packed");
  return join(destination, basename(JSON.parse(answer).filename));
}

/**
 * Packs every public package with addons of its sources as they are now, for the targets named, or for all whose compiler is here;
 * answers each as `{ name, tarball }`.
 */
export function packPublic(destination, targets) {
  for (const problem of ensurePrebuilds(targets).leftOut) console.error(`LEFT OUT: ${problem}`);
  mkdirSync(destination, { recursive: true });
  return publicPackages(root).map(({ name, folder }) => ({ name, tarball: packFolder(folder, destination) }));
}
