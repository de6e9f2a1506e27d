// Measures this project against named peers on the same bytes, as ratios of one run (docs/performance.md).
// npm run bench [-- --json] [--out FILE] [--quick] [--gpu] [--only TEXT] [--seed N] [--compare FILE | --write-baseline FILE]
//   [--native FILE] [--probe FILE]. --json prints one JSON object, --out writes it; --gpu fails where there is no GPU; --only
//   measures the rows and figures whose name holds TEXT; --native names a vram_host_bench that is built, --probe the answer
//   of gpu-probe. --compare ends with 1 where a ratio fell by more than its noise; --write-baseline makes what it reads.
import { writeFileSync } from "node:fs";
import { auditGroup } from "./bench/audit.mjs";
import { callGroup } from "./bench/calls.mjs";
import { baselineOf, baselineProblems, regressions } from "./bench/compare.mjs";
import { deviceGroup } from "./bench/device.mjs";
import { hostGroup } from "./bench/host.mjs";
import { machineFacts } from "./bench/machine.mjs";
import { metricsGroup } from "./bench/metrics.mjs";
import { openNative } from "./bench/native.mjs";
import { readOptions } from "./bench/options.mjs";
import { reportOf, reportText } from "./bench/report.mjs";
import { sampleRounds } from "./bench/rounds.mjs";
import { rowOf, subjectsOf } from "./bench/rows.mjs";
import { telemetryGroup } from "./bench/telemetry.mjs";
import { temporaryFolder } from "./bench/temporary-folder.mjs";
import { upkeepGroup } from "./bench/upkeep.mjs";
import { openWorkplace } from "./bench/workplace.mjs";
import { randomFrom } from "./random.mjs";

const say = (line) => process.stderr.write(`${line}\n`);

function optionsOrExit() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    say(error.message);
    return process.exit(2);
  }
}

/** The rows and figures that --only names, with what the rows are made of. */
function chosen({ name, subjects, rows }, only = "") {
  const wanted = rows.filter(({ id }) => id.includes(only));
  const needed = new Set(wanted.flatMap(subjectsOf));
  return { name, rows: wanted, subjects: subjects.filter(({ id }) => needed.has(id) || id.includes(only)) };
}

async function measure({ name, subjects, rows }, { rounds, random }) {
  const tell = (round) => say(`${name}: round ${round} of ${rounds}`);
  const figures = await sampleRounds(subjects, { rounds, random, tell });
  const byId = new Map(figures.map((figure) => [figure.id, figure]));
  return { name, figures, rows: rows.map((row) => rowOf(row, byId)) };
}

function assertBaseline(options, machine) {
  if (options.baseline === undefined) return;
  const problems = baselineProblems(options.baseline, { machineClass: machine.class, quick: options.quick });
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

async function run(options) {
  const folder = temporaryFolder("vram-bench-");
  const workplace = await openWorkplace({ folder, requiresGpu: options.requiresGpu });
  try {
    const machine = machineFacts(workplace);
    assertBaseline(options, machine);
    const native = await openNative(options.native);
    const place = { folder, workplace, machine, native, options };
    const groups = [callGroup, hostGroup, deviceGroup, upkeepGroup, auditGroup, metricsGroup, telemetryGroup].map((group) => chosen(group(place), options.only));
    if (groups.every(({ subjects }) => subjects.length === 0)) {
      throw Object.assign(new Error("--only must be part of a row's or figure's name"), { exitCode: 2 });
    }
    const random = randomFrom(options.seed);
    const results = [];
    for (const group of groups) results.push(await measure(group, { rounds: options.rounds, random }));
    return reportOf({ options, machine, results });
  } finally {
    await workplace.close();
  }
}

function writeBaseline(report, { target, others }) {
  const { entry, noisy } = baselineOf(report);
  writeFileSync(target, `${JSON.stringify({ ...others, [report.machine.class]: entry }, null, 2)}\n`);
  for (const id of noisy) say(`left out of the baseline, too noisy here: ${id}`);
}

function tell(report, options) {
  const { json, out, target, baseline } = options;
  const text = JSON.stringify(report);
  if (out !== undefined) writeFileSync(out, `${text}\n`);
  console.log(json ? text : reportText(report));
  if (target !== undefined) writeBaseline(report, options);
  return baseline === undefined ? [] : regressions(report, baseline[report.machine.class]);
}

const options = optionsOrExit();
say(`seed ${options.seed}`);
try {
  const regressed = tell(await run(options), options);
  for (const line of regressed) say(`REGRESSED ${line}`);
  if (regressed.length > 0) process.exitCode = 1;
} catch (error) {
  say(error.message);
  process.exitCode = error.exitCode ?? 1;
}
