// Everything that is checked of packed packages, whoever packed them.
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checks/tree.mjs";
import { TARGETS, toolchainProblem } from "../prebuilds/toolchain.mjs";
import { contentProblems } from "./contents.mjs";
import { lintProblems } from "./lint-tarball.mjs";
import { manifestOf, readTarball } from "./read-tarball.mjs";

/** Reads the tarball `file` of a package. */
export function readPacked(name, file) {
  const tarball = readTarball(file);
  return { name, file, tarball, manifest: manifestOf(tarball) };
}

/** What is wrong with packages that `readPacked` read, which have addons for `targets`: by default those whose compiler is here. */
export async function tarballProblems(packages, targets = Object.keys(TARGETS).filter((target) => toolchainProblem(target) === undefined)) {
  const rules = { license: readFileSync(join(root, "LICENSE"), "utf8"), machinePaths: [realpathSync(root)], targets };
  const linted = await Promise.all(packages.map(({ file, tarball }) => lintProblems(file, tarball)));
  return [...packages.flatMap(({ tarball }) => contentProblems(tarball, rules)), ...linted.flat()];
}
