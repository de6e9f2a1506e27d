// Takes each defence out, one after another, and sees its tests fail; the file is put back whatever happens.
// npm run defences [-- --only TEXT]. Ends with 1 where a defence can be taken out without a failing test.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { defences } from "./defences/list.mjs";
import { takeOut } from "./defences/take-out.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const chosen = defences.filter(({ defence }) => defence.includes(values.only));
if (chosen.length === 0) {
  console.error(`--only must be a part of one of: ${defences.map(({ defence }) => defence).join(", ")}`);
  process.exit(2);
}

let putBack = () => undefined;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    putBack();
    process.exit(130);
  });
}

const quietly = (args, cwd) => spawnSync(process.execPath, args, { cwd: join(root, cwd), encoding: "utf8", maxBuffer: 1 << 28 });
const isNative = ({ file }) => file.startsWith("native/");

function build() {
  const { status, stderr } = quietly(["dist/build.js"], "packages/vram-cuda");
  if (status !== 0) throw new Error(`the addon does not build:\n${stderr}`);
}

/** The titles that failed, or all that is known where the runner itself did. */
function failuresOf({ in: folder, tests }) {
  const { status, stdout, stderr } = quietly([join(root, "node_modules/vitest/vitest.mjs"), "run", "--reporter=json", ...tests], folder);
  try {
    const { testResults, numTotalTests } = JSON.parse(stdout.slice(stdout.indexOf("{")));
    const failed = testResults.flatMap(({ assertionResults }) => assertionResults.filter((test) => test.status === "failed"));
    return { total: numTotalTests, failed: failed.map(({ fullName }) => fullName) };
  } catch {
    throw new Error(`the tests of ${folder} ended with ${status}:\n${stderr}`);
  }
}

/** Answers the tests that fail without the defence. */
function without(defence) {
  const path = join(root, defence.file);
  const whole = readFileSync(path, "utf8");
  const rest = takeOut(defence, whole);
  putBack = () => writeFileSync(path, whole);
  try {
    writeFileSync(path, rest);
    if (isNative(defence)) build();
    return failuresOf(defence);
  } finally {
    putBack();
    putBack = () => undefined;
  }
}

const rows = [];
for (const defence of chosen) {
  const { total, failed } = without(defence);
  rows.push({ ...defence, failed });
  console.log(`${failed.length > 0 ? "caught " : "MISSED "} ${defence.defence.padEnd(40)} ${String(failed.length).padStart(3)} of ${total} tests fail: ${failed[0] ?? "none"}`);
}
if (chosen.some(isNative)) build();
const caught = rows.filter(({ failed }) => failed.length > 0).length;
console.log(`${rows.length} defences taken out: ${caught} caught, ${rows.length - caught} missed`);
process.exitCode = caught === rows.length ? 0 : 1;
