// Makes the kernels' PTX from their sources; with --check, compares instead of writing.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const COMPILER = "clang-14";
const check = process.argv.includes("--check");
const kernels = ["native/kernel/fsverity", "examples/engine-addon/kernel"];

const flags = [
  ...["-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-Wno-unknown-cuda-version"],
  ...["-std=c++20", "-S", "-O3", "-ffp-contract=off"],
  ...["--cuda-gpu-arch=sm_60", "-Xclang", "-target-feature", "-Xclang", "+ptx60", "-Wall", "-Wextra", "-Werror"],
];

function regenerate(kernel) {
  const file = fileURLToPath(new URL(`../${kernel}`, import.meta.url));
  const options = { cwd: dirname(file), encoding: "utf8", maxBuffer: 1 << 26 };
  const { status, error, stdout, stderr } = spawnSync(COMPILER, [...flags, `${basename(file)}.cu`, "-o", "-"], options);
  if (error?.code === "ENOENT") {
    console.error(`${COMPILER} IS ABSENT: the PTX of ${kernel} was not compared with its source. Install Debian's package ${COMPILER}.`);
    return check && process.env.VRAM_REQUIRE_TOOLS === undefined;
  }
  if (status !== 0) {
    console.error(stderr);
    return false;
  }
  if (!check) {
    writeFileSync(`${file}.ptx`, stdout);
    return true;
  }
  const same = readFileSync(`${file}.ptx`, "utf8") === stdout;
  console.log(same ? `${kernel}.ptx is what its source compiles to` : `${kernel}.ptx is not what its source compiles to; run: npm run ptx`);
  return same;
}

const results = kernels.map(regenerate);
process.exitCode = results.every(Boolean) ? 0 : 1;
