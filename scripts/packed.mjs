// Installs the packed packages and the example engine in an empty folder, and runs a program of each module system and every example's tests there.
// npm run packed [-- --gpu] [--json FILE]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { examples, testExample } from "./packed/examples.mjs";
import { installPacked, run } from "./packed/install.mjs";

const { values } = parseArgs({ options: { gpu: { type: "boolean", default: false }, json: { type: "string" } } });
const cases = [];

function tell(...told) {
  for (const each of told) {
    console.log(`${each.ok ? "ok     " : "FAILED "} ${each.title}`);
    if (!each.ok) console.log(each.message);
    cases.push(each);
  }
}

/** One case: good unless `act` throws. */
function tried(title, act) {
  try {
    act();
    return { title, ok: true, message: "" };
  } catch ({ message }) {
    return { title, ok: false, message };
  }
}

const work = mkdtempSync(join(tmpdir(), "vram-packed-"));
try {
  const app = join(work, "app");
  const installed = tried("the tarballs install in an empty folder, and the engine builds there", () => installPacked(app, join(work, "tarballs")));
  tell(installed);
  if (installed.ok) {
    for (const program of ["program.mjs", "program.cjs"]) {
      tell(tried(`${program} runs on them`, () => run(process.execPath, [program, ...(values.gpu ? ["--gpu"] : [])], app, "inherit")));
    }
    for (const folder of examples()) tell(...testExample(app, folder));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

const passed = cases.filter(({ ok }) => ok).length;
const failed = cases.length - passed;
if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, JSON.stringify({ passed, failed, cases }));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
