// The probe for a GPU, with the simulator in its place: it builds as its head says, and every experiment ends in an answer.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./tree.mjs";

const SIMULATOR = join(root, "packages/vram-simulator/build/Release/libvram_simulator.so");
const WARNINGS = ["-Wall", "-Wextra", "-Werror"];

const run = (program, args) => spawnSync(program, args, { cwd: root, encoding: "utf8" });

function problemsOf({ status, stdout, stderr }) {
  if (status !== 0) return [`the probe ended with ${status}: ${stderr}`];
  const { readOnlyStore, readOnlyCopy, readOnlyMemset, kernel1MiB, variant1MiB, variantIsExact, memset, copyPageable, trace, failed } = JSON.parse(stdout);
  const first = (step) => trace.find((each) => each.step === step)?.result;
  return [
    ...(failed.length === 0 ? [] : [`experiments failed: ${failed}`]),
    ...(readOnlyStore.contextAlive === false ? [] : ["a store into a read-only mapping did not end the context"]),
    ...(readOnlyCopy.unchanged === true && readOnlyMemset.unchanged === true ? [] : ["a copy into a read-only mapping was not refused"]),
    ...([kernel1MiB, variant1MiB, memset, copyPageable].every(({ gigabytesPerSecond }) => gigabytesPerSecond > 0) ? [] : ["a speed was not measured"]),
    ...(variantIsExact === true ? [] : ["the variant of the kernel gives other digests"]),
    ...(first("launch") === 0 && first("create beyond the device") === 2 ? [] : ["the trace of result codes is not the driver's"]),
  ];
}

export function checkProbe() {
  const folder = mkdtempSync(join(tmpdir(), "vram-probe-"));
  try {
    const probe = join(folder, "gpu-probe");
    const built = run("c++", ["-std=c++20", "-O2", ...WARNINGS, "-I", "native", "scripts/gpu-probe.cpp", "-ldl", "-o", probe]);
    if (built.status !== 0) return built.stderr.split("\n").slice(0, 40);
    const broken = join(folder, "broken.ptx");
    writeFileSync(broken, "not PTX");
    const refused = run(probe, [SIMULATOR, broken, broken, "--quick"]);
    return [
      ...problemsOf(run(probe, [SIMULATOR, "native/kernel/fsverity.ptx", "native/kernel/fsverity_plain.ptx", "--quick"])),
      ...(refused.status === 1 ? [] : ["the probe ends well though no experiment could be done"]),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
