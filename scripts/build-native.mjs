// Builds the addon of the package in the current folder; its output is shown only where the build fails.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

const cmakeJs = createRequire(join(process.cwd(), "package.json")).resolve("cmake-js/bin/cmake-js");
const { status, stdout, stderr } = spawnSync(process.execPath, [cmakeJs, "compile", "--parallel", "2"], {
  encoding: "utf8",
  maxBuffer: 1 << 26,
});
if (status !== 0) {
  process.stderr.write(`${stdout}${stderr}`);
  process.stderr.write("The native build failed. It needs a C++20 compiler, CMake, and make or ninja.\n");
  process.exitCode = 1;
}
