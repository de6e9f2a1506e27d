// Checks that a compiler or linter makes.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./tree.mjs";

function problemsOf(program, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 1 << 26 });
  if (error) return [`${program}: ${error.code}`];
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split("\n").slice(0, 40);
}

const node = (script, ...args) => problemsOf(process.execPath, [join(root, script), ...args]);

export const checkLint = () => node("node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0");

export const checkPtx = () => node("scripts/ptx.mjs", "--check");

export function checkCompiles() {
  const packages = readdirSync(join(root, "packages"));
  return packages.flatMap((name) => node("node_modules/typescript/bin/tsc", "-p", join(root, "packages", name)));
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
