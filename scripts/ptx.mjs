// Makes the digest kernel's PTX from its source; with --check, compares instead of writing.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const COMPILER = "clang-14";
const kernel = fileURLToPath(new URL("../native/kernel", import.meta.url));
const ptxFile = join(kernel, "fsverity.ptx");
const check = process.argv.includes("--check");

const flags = [
  ...["-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-Wno-unknown-cuda-version"],
  ...["-std=c++20", "-S", "-O3", "--cuda-gpu-arch=sm_60", "-Xclang", "-target-feature", "-Xclang", "+ptx60"],
  ...["-Wall", "-Wextra", "-Werror", "fsverity.cu", "-o", "-"],
];
const { status, error, stdout, stderr } = spawnSync(COMPILER, flags, { cwd: kernel, encoding: "utf8", maxBuffer: 1 << 26 });

if (error?.code === "ENOENT") {
  console.error(`${COMPILER} IS ABSENT: the kernel's PTX was not compared with its source. Install Debian's package ${COMPILER}.`);
  process.exitCode = check && process.env.VRAM_REQUIRE_TOOLS === undefined ? 0 : 1;
} else if (status !== 0) {
  console.error(stderr);
  process.exitCode = 1;
} else if (!check) {
  writeFileSync(ptxFile, stdout);
} else if (readFileSync(ptxFile, "utf8") === stdout) {
  console.log("fsverity.ptx is what its source compiles to");
} else {
  console.error("fsverity.ptx is not what its source compiles to; run: npm run ptx");
  process.exitCode = 1;
}
