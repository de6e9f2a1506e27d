// Runs all that a bundle of scripts/gpu-bundle.mjs has, on the machine's GPU or on the simulator: the probe, the packed
// programs, the contract tests, the benchmark. Ends with 1 if anything fails, and where nothing ran.
// FOLDER/run suite.mjs --gpu|--simulate [--out DIR] [--only TEXT] [--jobs N]: --only runs the parts whose name holds TEXT, --jobs
// so many test files at a time.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openDriver } from "vram-cuda";
import { simulator } from "vram-simulator";
import { runParts, suiteParts } from "./gpu/parts.mjs";

const app = import.meta.dirname;

function readOptions() {
  const flag = { type: "boolean", default: false };
  const text = { type: "string" };
  const { values } = parseArgs({ options: { gpu: flag, simulate: flag, out: text, only: { ...text, default: "" }, jobs: { ...text, default: "1" } } });
  const { gpu: onGpu, simulate, out, only, jobs } = values;
  if (onGpu === simulate) throw new Error("either --gpu or --simulate is needed");
  if (!/^[1-9]\d{0,2}$/.test(jobs)) throw new Error("--jobs must be 1 to 999");
  // `run` has moved here; a path is meant from where its caller is.
  return { onGpu, only, jobs: Number(jobs), out: out === undefined ? join(app, "results") : resolve(process.env.INIT_CWD ?? ".", out) };
}

function describeDriver(source) {
  const driver = openDriver(source);
  const [device] = driver.devices();
  return { backend: driver.facts.backend, driverVersion: driver.facts.driverVersion, device: device.name };
}

function count(cases, status) {
  return cases.filter((each) => each.status === status).length;
}

async function runSuite({ onGpu, out, only, jobs }, driver) {
  const { tests, leftOut } = JSON.parse(readFileSync(join(app, "tests.json"), "utf8"));
  for (const [file, reason] of Object.entries(leftOut)) console.log(`left out: ${file}: ${reason}`);
  mkdirSync(out, { recursive: true });
  const parts = [];
  const tell = (part) => {
    parts.push(part);
    const failures = part.cases.filter(({ status }) => status === "failed");
    const counts = ["passed", "failed", "skipped"].map((status) => `${count(part.cases, status)} ${status}`);
    console.log(`${failures.length === 0 ? "ok     " : "FAILED "} ${part.name}: ${counts.join(", ")}, ${part.seconds.toFixed(1)} s`);
    for (const { title, message } of failures) console.log(`        ${title}\n          ${message.split("\n").slice(0, 3).join("\n          ")}`);
  };
  const wanted = suiteParts({ app, out, onGpu, library: onGpu ? "libcuda.so.1" : simulator().libraryPath, tests }).filter(({ name }) => name.includes(only));
  await runParts(wanted, { jobs, tell });
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

const options = orEnd(readOptions, 2, ({ message }) => `${message}\nusage: FOLDER/run suite.mjs --gpu|--simulate [--out DIR] [--only TEXT] [--jobs N]`);
const driver = orEnd(
  () => describeDriver(options.onGpu ? undefined : simulator()),
  1,
  ({ code, message }) => `no usable ${options.onGpu ? "GPU" : "simulator"} (${code}): ${message}`,
);
console.log(`backend ${driver.backend}, driver ${driver.driverVersion}, ${driver.device}`);
process.exitCode = (await runSuite(options, driver)) ? 0 : 1;
