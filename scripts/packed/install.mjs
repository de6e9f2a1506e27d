// Packs every published package and the example engine, installs the tarballs in a folder and builds the engine there.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const { packageManager } = readJson(join(root, "package.json"));
const programs = ["program.mjs", "program.cjs", "scenario.cjs"];

export function run(program, args, cwd, stdio = "pipe") {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, stdio, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${program} ${args[0]} failed in a step\n${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`);
}

/** `app` becomes an app with the packages, the engine and the programs; the tarballs go to `tarballs`. Both must not exist. */
export function installPacked(app, tarballs) {
  mkdirSync(tarballs);
  mkdirSync(app, { recursive: true });
  const published = readdirSync(join(root, "packages"))
    .map((name) => join(root, "packages", name))
    .filter((folder) => readJson(join(folder, "package.json")).private !== true);
  for (const folder of [...published, join(root, "examples/engine-addon")]) {
    run("npx", ["--yes", "--prefer-offline", packageManager, "pack", "--pack-destination", tarballs], folder);
  }
  const { version } = readJson(join(root, "examples/engine-addon/node_modules/cmake-js/package.json"));
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true }));
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...files, `cmake-js@${version}`], app);
  run("npx", ["cmake-js", "compile", "--directory", "node_modules/engine-addon"], app);
  for (const name of programs) cpSync(join(root, "scripts/packed", name), join(app, name));
}
