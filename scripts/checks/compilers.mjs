// Checks that a compiler or linter makes.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, root } from "./tree.mjs";

const run = (program, args) => spawnSync(program, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });

function problemsOf(program, args) {
  const { status, stdout, stderr, error } = run(program, args);
  if (error) return [`${program}: ${error.code}`];
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split("\n").slice(0, 40);
}

const node = (script, ...args) => problemsOf(process.execPath, [join(root, script), ...args]);

export const checkLint = () => node("node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0");

/** Without its compiler the comparison is left out, and that is said aloud. */
export function checkPtx() {
  const { status, stderr } = run(process.execPath, [join(root, "scripts/ptx.mjs"), "--check"]);
  if (status !== 0) return [stderr.trim()];
  if (stderr !== "") console.log(`        ${stderr.trim()}`);
  return [];
}

export function checkCompiles() {
  const packages = projectFiles(/^(packages\/[^/]+|examples)\/tsconfig(\.[a-z]+)?\.json$/);
  return packages.flatMap((config) => node("node_modules/typescript/bin/tsc", "-p", join(root, config)));
}

/** Needs a CUDA toolkit's header, which neither building nor running does; says so where there is none. */
export function checkAbi() {
  const include = ["/usr/local/cuda/include", "/usr/include", "/opt/cuda/include"].find((folder) => existsSync(join(folder, "cuda.h")));
  if (include === undefined) {
    console.log("        no cuda.h here: the interface was not compared with a toolkit's");
    return [];
  }
  return problemsOf("c++", ["-std=c++20", "-fsyntax-only", "-I", "native", "-isystem", include, "native/test/abi_check.cpp"]);
}
