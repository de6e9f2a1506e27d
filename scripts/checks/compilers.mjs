// Checks that a compiler or linter makes.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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

/** The probe for a GPU, with the simulator in its place: it builds as its head says, and every experiment ends in an answer. */
export function checkProbe() {
  const folder = mkdtempSync(join(tmpdir(), "vram-probe-"));
  try {
    const probe = join(folder, "gpu-probe");
    const built = problemsOf("c++", ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-I", "native", "scripts/gpu-probe.cpp", "-ldl", "-o", probe]);
    if (built.length > 0) return built;
    const library = join(root, "packages/vram-simulator/build/Release/libvram_simulator.so");
    const { status, stdout, stderr } = spawnSync(probe, [library, "native/kernel/fsverity.ptx", "--quick"], { cwd: root, encoding: "utf8" });
    if (status !== 0) return [`the probe ended with ${status}: ${stderr}`];
    const { readOnlyStore, readOnlyCopy, kernel1MiB } = JSON.parse(stdout);
    return [
      ...(readOnlyStore.contextAlive === false ? [] : ["a store into a read-only mapping did not end the context"]),
      ...(readOnlyCopy.unchanged === true ? [] : ["a copy into a read-only mapping was not refused"]),
      ...(kernel1MiB.gigabytesPerSecond > 0 ? [] : ["the kernel's speed was not measured"]),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
