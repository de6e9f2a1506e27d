import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const CMAKE_MINIMUM = [3, 20] as const;

/** What is built, and how. */
export interface AddonBuild {
  /** Ends with a slash; it holds a CMakeLists.txt. */
  readonly packageFolder: URL;
  /** Default: `build` in the package, where the addon is looked for. */
  readonly buildFolder?: string;
  /** More arguments for CMake. */
  readonly cmakeArguments?: readonly string[];
  /** Of the programs it runs. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Compiles a package's addons from the sources it carries, or else from the checkout's, into `Release` of the build folder.
 * Takes nothing from the network.
 *
 * @throws Error that says what is missing, or has the compiler's output
 */
export function buildAddon({ packageFolder, buildFolder = folderIn(packageFolder, "build"), cmakeArguments = [], env = process.env }: AddonBuild): void {
  assertTools(env);
  // An installed package has its user's project two folders up, not the checkout.
  const carriesSources = existsSync(folderIn(packageFolder, "native/include"));
  const native = folderIn(packageFolder, carriesSources ? "native" : "../../native");
  const headers = carriesSources ? [folderIn(packageFolder, "native/include")] : installedHeaders(packageFolder);
  run(env, "cmake", [
    ...["-S", fileURLToPath(packageFolder), "-B", buildFolder, "-DCMAKE_BUILD_TYPE=Release"],
    ...[`-DVRAM_NATIVE=${native}`, `-DVRAM_NODE_API=${headers.join(";")}`],
    ...(existsSync(`${buildFolder}/CMakeCache.txt`) || !has(env, "ninja") ? [] : ["-G", "Ninja"]),
    ...cmakeArguments,
  ]);
  run(env, "cmake", ["--build", buildFolder, "--parallel", String(availableParallelism())]);
}

/** The program of a package that builds its addon. Answers the exit status. */
export function buildCommand(packageName: string, packageFolder: URL): number {
  try {
    buildAddon({ packageFolder });
    process.stdout.write(`the native addon of ${packageName} is built\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`the native addon of ${packageName} was not built: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

const folderIn = (folder: URL, path: string): string => fileURLToPath(new URL(path, folder));

function installedHeaders(packageFolder: URL): string[] {
  const { resolve } = createRequire(packageFolder);
  return [dirname(resolve("node-addon-api/package.json")), `${dirname(resolve("node-api-headers/package.json"))}/include`];
}

function assertTools(env: NodeJS.ProcessEnv): void {
  if (process.platform !== "linux") throw new Error(`it runs on Linux only, and this is ${process.platform}`);
  const [, major = "0", minor = "0"] = /version (\d+)\.(\d+)/.exec(answer(env, "cmake", ["--version"]) ?? "") ?? [];
  if (Number(major) < CMAKE_MINIMUM[0] || (Number(major) === CMAKE_MINIMUM[0] && Number(minor) < CMAKE_MINIMUM[1])) {
    throw new Error(`CMake ${CMAKE_MINIMUM.join(".")} or newer is needed, as \`cmake\` on PATH`);
  }
  if (!has(env, "ninja") && !has(env, "make")) throw new Error("`ninja` or `make` is needed on PATH");
  const [compiler = "", ...options] = (env["CXX"] ?? "c++").trim().split(/\s+/);
  const compiles = answer(env, compiler, [...options, "-std=c++20", "-fsyntax-only", "-x", "c++", "-"], "#include <span>\n");
  if (compiles === undefined) throw new Error("a C++20 compiler is needed, as `c++` on PATH or named by the environment's CXX (g++ 10, clang 14 or newer)");
}

const has = (env: NodeJS.ProcessEnv, program: string): boolean => answer(env, program, ["--version"]) !== undefined;

/** What a program prints, or undefined where it is absent or fails. */
function answer(env: NodeJS.ProcessEnv, program: string, args: readonly string[], input = ""): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", env, input, stdio: ["pipe", "pipe", "ignore"] });
  return status === 0 ? stdout : undefined;
}

function run(env: NodeJS.ProcessEnv, program: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}\n${stdout}${stderr}`);
}
