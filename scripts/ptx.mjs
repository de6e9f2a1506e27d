// Makes the kernels' PTX from their sources; with --check, compares instead of writing.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const COMPILER = "clang-14";
const check = process.argv.includes("--check");
const kernels = [
  { source: "native/kernel/fsverity.cu", ptx: "native/kernel/fsverity.ptx" },
  { source: "native/kernel/fsverity.cu", ptx: "native/kernel/fsverity_plain.ptx", defines: ["-DVRAM_PLAIN"] },
  { source: "examples/engine-addon/kernel.cu", ptx: "examples/engine-addon/kernel.ptx" },
];

const flags = [
  ...["-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-Wno-unknown-cuda-version"],
  ...["-std=c++20", "-S", "-O3", "-ffp-contract=off"],
  ...["--cuda-gpu-arch=sm_60", "-Xclang", "-target-feature", "-Xclang", "+ptx60", "-Wall", "-Wextra", "-Werror"],
];

function regenerate({ source, ptx, defines = [] }) {
  const [from, to] = [source, ptx].map((name) => fileURLToPath(new URL(`../${name}`, import.meta.url)));
  const options = { cwd: dirname(from), encoding: "utf8", maxBuffer: 1 << 26 };
  const { status, error, stdout, stderr } = spawnSync(COMPILER, [...flags, ...defines, basename(from), "-o", "-"], options);
  if (error?.code === "ENOENT") {
    console.error(`${COMPILER} IS ABSENT: ${ptx} was not compared with its source. Install Debian's package ${COMPILER}.`);
    return check && process.env.VRAM_REQUIRE_TOOLS === undefined;
  }
  if (status !== 0) {
    console.error(stderr);
    return false;
  }
  if (!check) {
    writeFileSync(to, stdout);
    return true;
  }
  const same = readFileSync(to, "utf8") === stdout;
  console.log(same ? `${ptx} is what its source compiles to` : `${ptx} is not what its source compiles to; run: npm run ptx`);
  return same;
}

const results = kernels.map(regenerate);
process.exitCode = results.every(Boolean) ? 0 : 1;
