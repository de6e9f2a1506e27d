// Packs every published package and the example engine, installs the tarballs in an empty folder, builds the engine there,
// and runs a program of each module system. npm run packed [-- --gpu]
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const { packageManager } = readJson(join(root, "package.json"));

function run(program, args, cwd, stdio = "pipe") {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, stdio, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${program} ${args[0]} failed in a step\n${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`);
}

const published = readdirSync(join(root, "packages"))
  .map((name) => join(root, "packages", name))
  .filter((folder) => readJson(join(folder, "package.json")).private !== true);

const work = mkdtempSync(join(tmpdir(), "vram-packed-"));
try {
  const tarballs = join(work, "tarballs");
  const app = join(work, "app");
  mkdirSync(tarballs);
  mkdirSync(app);
  for (const folder of [...published, join(root, "examples/engine-addon")]) {
    run("npx", ["--yes", "--prefer-offline", packageManager, "pack", "--pack-destination", tarballs], folder);
  }
  const { version } = readJson(join(root, "examples/engine-addon/node_modules/cmake-js/package.json"));
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true }));
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...files, `cmake-js@${version}`], app);
  run("npx", ["cmake-js", "compile", "--directory", "node_modules/engine-addon"], app);
  console.log(`installed ${files.length} tarballs and built the engine`);
  cpSync(join(root, "scripts/packed"), app, { recursive: true });
  for (const program of ["program.mjs", "program.cjs"]) run(process.execPath, [program, ...process.argv.slice(2)], app, "inherit");
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
