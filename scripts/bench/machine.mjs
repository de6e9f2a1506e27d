// What is told of the machine: what speed depends on, and nothing that names it.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

const FLAGS = ["sha_ni", "avx2", "avx512f", "avx512bw", "avx512vl"];

function cpuFlags() {
  const all = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].trim().split(/\s+/) ?? [];
  return FLAGS.filter((flag) => all.includes(flag));
}

/** Ratios are compared between machines of one class only. */
function classOf(flags, { backend, name }) {
  const has = (...wanted) => wanted.every((flag) => flags.includes(flag));
  const cpu = has("avx512f", "avx512bw", "avx512vl") ? "avx512" : has("sha_ni") ? "sha-ni" : "portable";
  return backend === "simulator" ? cpu : `${cpu}, ${name}`;
}

export function machineFacts({ backend, driverVersion, device: { facts: { name, computeCapability, multiprocessorCount } } }) {
  const flags = cpuFlags();
  const { stdout } = spawnSync("openssl", ["version"], { encoding: "utf8" });
  return {
    class: classOf(flags, { backend, name }),
    cpu: cpus()[0].model,
    cores: availableParallelism(),
    flags,
    node: process.versions.node,
    nodeOpenssl: process.versions.openssl,
    openssl: stdout === null ? null : (/^\S+ (\S+)/.exec(stdout)?.[1] ?? null),
    device: { backend, name, driverVersion, computeCapability, multiprocessorCount },
  };
}
