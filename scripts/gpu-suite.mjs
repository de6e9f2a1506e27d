// Runs all that a bundle of scripts/gpu-bundle.mjs has, on the machine's GPU or on the simulator: the probe, the packed
// programs, the contract tests, the benchmark. Ends with 1 if anything fails, and where nothing ran.
// FOLDER/run suite.mjs --gpu|--simulate [--out DIR]
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openDriver } from "vram-cuda";
import { simulator } from "vram-simulator";
import { runParts } from "./gpu/parts.mjs";

const app = import.meta.dirname;

function readOptions() {
  const flag = { type: "boolean", default: false };
  const { values } = parseArgs({ options: { gpu: flag, simulate: flag, out: { type: "string" } } });
  if (values.gpu === values.simulate) throw new Error("either --gpu or --simulate is needed");
  // `run` has moved here; a path is meant from where its caller is.
  return { onGpu: values.gpu, out: values.out === undefined ? join(app, "results") : resolve(process.env.INIT_CWD ?? ".", values.out) };
}

function describeDriver(source) {
  const driver = openDriver(source);
  const [device] = driver.devices();
  return { backend: driver.facts.backend, driverVersion: driver.facts.driverVersion, device: device.name };
}

function count(cases, status) {
  return cases.filter((each) => each.status === status).length;
}

function runSuite({ onGpu, out }, driver) {
  const { tests, leftOut } = JSON.parse(readFileSync(join(app, "tests.json"), "utf8"));
  for (const [file, reason] of Object.entries(leftOut)) console.log(`left out: ${file}: ${reason}`);
  mkdirSync(out, { recursive: true });
  const parts = [];
  let start = performance.now();
  for (const part of runParts({ app, out, onGpu, library: onGpu ? "libcuda.so.1" : simulator().libraryPath, tests })) {
    const seconds = (performance.now() - start) / 1000;
    start = performance.now();
    parts.push({ ...part, seconds });
    const failures = part.cases.filter(({ status }) => status === "failed");
    const counts = ["passed", "failed", "skipped"].map((status) => `${count(part.cases, status)} ${status}`);
    console.log(`${failures.length === 0 ? "ok     " : "FAILED "} ${part.name}: ${counts.join(", ")}, ${seconds.toFixed(1)} s`);
    for (const { title, message } of failures) console.log(`        ${title}\n          ${message.split("\n").slice(0, 3).join("\n          ")}`);
  }
  const cases = parts.flatMap((part) => part.cases);
  const [passed, failed, skipped] = ["passed", "failed", "skipped"].map((status) => count(cases, status));
  writeFileSync(join(out, "suite.json"), JSON.stringify({ ...driver, passed, failed, skipped, leftOut, parts }, undefined, 1));
  if (skipped > 0) console.log(`${skipped} skipped: only the simulator does what they need`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

/** Answers what `read` does; where it throws, the process ends with a status and a line of why. */
function orEnd(read, status, line) {
  try {
    return read();
  } catch (error) {
    console.error(line(error));
    return process.exit(status);
  }
}

const options = orEnd(readOptions, 2, ({ message }) => `${message}\nusage: FOLDER/run suite.mjs --gpu|--simulate [--out DIR]`);
const driver = orEnd(
  () => describeDriver(options.onGpu ? undefined : simulator()),
  1,
  ({ code, message }) => `no usable ${options.onGpu ? "GPU" : "simulator"} (${code}): ${message}`,
);
console.log(`backend ${driver.backend}, driver ${driver.driverVersion}, ${driver.device}`);
process.exitCode = runSuite(options, driver) ? 0 : 1;
