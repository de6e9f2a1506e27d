// Builds and runs the libFuzzer targets of native/fuzz, with AddressSanitizer and UndefinedBehaviorSanitizer.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checks/tree.mjs";

const COMPILER = "clang++-14";
const build = join(root, "build/fuzz");
const findings = join(root, ".results/fuzz");

const SIMULATOR = ["definite_assignment", "ptx_interpreter", "ptx_operations", "ptx_parser", "slot_allocation"].map((name) => `simulator/${name}.cpp`);
const HASH = ["path", "processor", "sha256_avx512", "sha256_ni", "sha256_portable"].map((name) => `hash/${name}.cpp`);
/** By name: the sources that each needs besides its own. */
const targets = {
  ptx: SIMULATOR,
  ranges: [],
  digest: [...HASH, "ops/fsverity.cpp", "ops/sha256.cpp"],
};

export const nativeTargets = Object.keys(targets);
export const hasCompiler = () => spawnSync(COMPILER, ["--version"]).error === undefined;

function compile(name) {
  mkdirSync(build, { recursive: true });
  const binary = join(build, name);
  const sources = [`fuzz/${name}_fuzz.cpp`, ...targets[name]].map((file) => join(root, "native", file));
  const options = ["-std=c++20", "-O1", "-g1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-Wno-unknown-pragmas"];
  const { status, stderr } = spawnSync(COMPILER, [...options, "-I", join(root, "native"), "-I", join(root, "packages/vram-cuda/include"), ...sources, "-o", binary, "-lpthread"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${name} does not compile: ${stderr}`);
  return binary;
}

/** Fuzzes one target for so many seconds. Answers `{ inputs, problems }`. */
export function fuzzNative(name, { seconds, seed, corpus }) {
  const binary = compile(name);
  mkdirSync(findings, { recursive: true });
  const grown = join(build, `${name}-corpus`);
  mkdirSync(grown, { recursive: true });
  const kept = [join(corpus, name)].filter(existsSync);
  const limits = [`-max_total_time=${seconds}`, `-seed=${seed}`, "-timeout=10", "-rss_limit_mb=2048", "-max_len=20000", "-print_final_stats=1"];
  const { status, stderr } = spawnSync(binary, [...limits, `-artifact_prefix=${join(findings, `${name}-`)}`, grown, ...kept], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const inputs = Number(/number_of_executed_units:\s*(\d+)/.exec(stderr)?.[1] ?? 0);
  if (status === 0 && inputs > 0) return { inputs, problems: [] };
  const found = readdirSync(findings).filter((file) => file.startsWith(`${name}-`));
  return { inputs, problems: [`${stderr.split("\n").filter((line) => /ERROR|SUMMARY|deadly/.test(line)).join("; ") || `ended with ${status}`} (.results/fuzz: ${found.join(", ")})`] };
}
