// What the prebuilt addons are made with: one exact compiler for each target, so that the same sources give the same bytes.
import { spawnSync } from "node:child_process";
import { runProgram } from "../run-program.mjs";

/** The oldest glibc that the addons run with. */
export const FLOOR = "2.28";
const LINKER = "2.40";

export const TARGETS = {
  "linux-x64": { compiler: "g++-12", debian: "g++-12", version: "Debian 12.2.0-14+deb12u1", loader: "ld-linux-x86-64.so.2", cmake: [] },
  "linux-arm64": {
    compiler: "aarch64-linux-gnu-g++-12",
    debian: "g++-12-aarch64-linux-gnu",
    version: "Debian 12.2.0-14",
    loader: "ld-linux-aarch64.so.1",
    cmake: ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"],
  },
};

/** What would change the bytes from outside. */
const OUTSIDE = [
  ...["CFLAGS", "CXXFLAGS", "LDFLAGS", "CPATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "LD_RUN_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX"],
  ...["CMAKE_TOOLCHAIN_FILE", "CMAKE_CXX_COMPILER_LAUNCHER"],
];

/** The environment without that. */
export const environment = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !OUTSIDE.includes(name)));

/** Runs a program in that environment to its end and answers what it printed. */
export const output = (program, args, input = "") => runProgram(program, args, { input, env: environment() });

/** The path of a file or program that belongs to the target's compiler. */
export const compilerFile = ({ compiler }, name) => output(compiler, [`-print-file-name=${name}`]).trim();
export const compilerProgram = ({ compiler }, name) => output(compiler, [`-print-prog-name=${name}`]).trim();

/** Why the target cannot be built here, with the remedy, or undefined. */
export function toolchainProblem(name) {
  const target = TARGETS[name];
  const remedy = `on Debian 12: apt-get install ${target.debian}`;
  const { status, stdout } = spawnSync(target.compiler, ["--version"], { encoding: "utf8" });
  if (status !== 0) return `${name}: no ${target.compiler} here (${remedy})`;
  const found = /\(([^)]+)\)/.exec(stdout)?.[1];
  if (found !== target.version) return `${name}: ${target.compiler} is of ${found}, and only ${target.version} will do (${remedy})`;
  const linker = output(compilerProgram(target, "ld"), ["--version"]).split("\n")[0];
  return linker.endsWith(` ${LINKER}`) ? undefined : `${name}: the linker is "${linker}", and only binutils ${LINKER} will do (${remedy})`;
}
