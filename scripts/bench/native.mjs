// The program of native/bench, which measures the host digest.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "./programs.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const build = join(root, "build/native-bench");
const TARGET = "vram_host_bench";

function cmake(...args) {
  const { status, stdout, stderr, error } = spawnSync("cmake", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${TARGET} could not be built: ${error?.code ?? `${stdout}${stderr}`}`);
}

/** Where the program lies, built where its sources are; undefined outside a checkout. */
function findProgram(given) {
  if (given !== undefined) return given;
  return existsSync(join(root, "native/bench/CMakeLists.txt")) ? buildProgram() : undefined;
}

/** Builds the program in a checkout; answers its path. */
export function buildProgram() {
  cmake("-S", "native", "-B", build, "-DVRAM_BENCH=ON", "-DCMAKE_BUILD_TYPE=Release");
  cmake("--build", build, "-j", "2", "--target", TARGET);
  return join(build, "bench", TARGET);
}

/** Answers `measure(...arguments)` and the digest paths of this CPU, best first; undefined where there is no program. */
export async function openNative(given) {
  const program = findProgram(given);
  if (program === undefined) return undefined;
  const run = async (...args) => {
    const { seconds: wholeSeconds, stdout } = await runProgram(program, args.map(String));
    return { ...JSON.parse(stdout), wholeSeconds };
  };
  const { paths } = await run("paths");
  const measure = async (...args) => {
    const { seconds, wholeSeconds, digest } = await run(...args);
    return { seconds, wholeSeconds, digest };
  };
  return { paths, measure };
}
