// Installs the packed packages and the example engine in an empty folder, and runs a program of each module system and every
// example's tests there. npm run packed [-- --gpu] [--json FILE]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecks } from "./checks/run-checks.mjs";
import { exampleProblems, examples } from "./packed/examples.mjs";
import { installPacked } from "./packed/install.mjs";
import { runProgram } from "./run-program.mjs";
import { tarballProblems } from "./tarballs/tarball-problems.mjs";

const work = mkdtempSync(join(tmpdir(), "vram-packed-"));
const app = join(work, "app");
const flags = process.argv.filter((each) => each === "--gpu");

let installed;

/** A step that throws where something is wrong. */
const step = (act) => () => {
  act();
  return [];
};

const checks = [
  ["the tarballs install in an empty folder, and the engine builds there", step(() => (installed = installPacked(app, join(work, "tarballs"))))],
  ["the tarballs hold what they must and nothing else, for both module systems", () => tarballProblems(installed.packed, installed.targets)],
  ...["program.mjs", "program.cjs"].map((program) => [`${program} runs on them`, step(() => runProgram(process.execPath, [program, ...flags], { cwd: app, stdio: "inherit" }))]),
  ...examples().map((folder) => [`${folder} passes its tests on them`, () => exampleProblems(app, folder)]),
];

try {
  await runChecks(checks);
} finally {
  rmSync(work, { recursive: true, force: true });
}
