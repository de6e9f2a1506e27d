// Runs checks one after another, a line each; `--json FILE` on the command line writes the counts.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** `[title, check]`: each check answers what it found wrong; it throws, too, where it found nothing to look at. */
export async function runChecks(checks) {
  const option = process.argv.indexOf("--json");
  const report = option === -1 ? undefined : process.argv[option + 1];
  if (option !== -1 && report === undefined) throw new Error("--json needs a file");

  const cases = [];
  for (const [title, check] of checks) {
    let problems;
    try {
      problems = await check();
    } catch (error) {
      problems = [error.message];
    }
    const ok = problems.length === 0;
    console.log(`${ok ? "ok     " : "FAILED "} ${title}`);
    for (const problem of problems) console.log(`        ${problem}`);
    cases.push({ title, ok, message: problems.join("\n") });
  }

  const passed = cases.filter(({ ok }) => ok).length;
  const failed = cases.length - passed;
  if (report !== undefined) {
    mkdirSync(dirname(report), { recursive: true });
    writeFileSync(report, JSON.stringify({ passed, failed, cases }));
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
