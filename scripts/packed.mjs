// Installs the packed packages and the example engine in an empty folder, and runs a program of each module system there.
// npm run packed [-- --gpu]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPacked, run } from "./packed/install.mjs";

const work = mkdtempSync(join(tmpdir(), "vram-packed-"));
try {
  const app = join(work, "app");
  const count = installPacked(app, join(work, "tarballs"));
  console.log(`installed ${count} tarballs and built the engine`);
  for (const program of ["program.mjs", "program.cjs"]) run(process.execPath, [program, ...process.argv.slice(2)], app, "inherit");
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
