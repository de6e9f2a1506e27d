// Mutation testing (Stryker) of what security rests on, one package after another; ends with one line of figures.
// npm run mutation [-- --package NAME] [--full]. Incremental: what a package's last run proved is kept in .results/mutation, unless --full.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./checks/tree.mjs";
import { EQUIVALENT, SCORE, targets } from "./mutation/targets.mjs";

const { values } = parseArgs({ options: { package: { type: "string" }, full: { type: "boolean", default: false } } });
const chosen = Object.keys(targets).filter((name) => values.package === undefined || name === values.package);
if (chosen.length === 0) {
  console.error(`--package must be one of ${Object.keys(targets).join(", ")}`);
  process.exit(2);
}
const results = join(root, ".results/mutation");
mkdirSync(results, { recursive: true });

// Instrumented, and on a busy machine, a test may take many times as long; packages leave out tests that tell nothing of a mutant.
const testEnvironment = { VRAM_PROPERTY_RUNS: "10", VRAM_TEST_TIMEOUT_MS: "60000", VRAM_TEST_MUTANTS: "1" };

/** Answers the package's mutants, `{ file, line, original, mutator, replacement, status }`. */
function mutate(name) {
  const cwd = join(root, "packages", name);
  const report = join(results, `${name}.json`);
  const configFile = join(cwd, "stryker.config.json");
  rmSync(report, { force: true });
  const config = {
    ...{ testRunner: "vitest", plugins: ["@stryker-mutator/vitest-runner"], inPlace: true, tempDirName: ".stryker-tmp", concurrency: 2 },
    ...{ mutate: targets[name], reporters: ["json", "progress-append-only"], jsonReporter: { fileName: report } },
    ...{ incremental: !values.full, incrementalFile: join(results, `${name}-incremental.json`), allowEmpty: false },
    ...{ timeoutMS: 60_000, dryRunTimeoutMinutes: 30, ignoreStatic: true, vitest: { related: true }, checkers: [], disableTypeChecks: false },
  };
  writeFileSync(configFile, JSON.stringify(config));
  try {
    const { status } = spawnSync(process.execPath, [join(root, "node_modules/@stryker-mutator/core/bin/stryker.js"), "run", configFile], {
      cwd,
      env: { ...testEnvironment, ...process.env },
      stdio: ["ignore", process.stderr.fd, process.stderr.fd],
    });
    if (!existsSync(report)) throw new Error(`stryker ended with ${status} and no report`);
  } finally {
    rmSync(configFile, { force: true });
  }
  const { files } = JSON.parse(readFileSync(report, "utf8"));
  return Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants.map(({ location, mutatorName, replacement = "", status }) => ({
      ...{ file: `${name}/${file}`, line: location.start.line, original: oneLine(textAt(source, location)) },
      ...{ mutator: mutatorName, replacement: oneLine(replacement), status },
    })),
  );
}

const oneLine = (text) => text.replaceAll(/\s+/g, " ");

/** The text from one position to another; Stryker counts lines and columns from 1. */
function textAt(source, { start, end }) {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  lines.push(lines.pop().slice(0, end.column - 1));
  lines[0] = lines[0].slice(start.column - 1);
  return lines.join("\n");
}

const isEquivalent = (mutant) => EQUIVALENT.some((each) => ["file", "original", "mutator", "replacement"].every((field) => each[field] === mutant[field]));

function judge(mutants) {
  const counted = mutants.filter(({ status }) => status !== "Ignored" && status !== "CompileError");
  const survivors = counted.filter(({ status }) => status !== "Killed" && status !== "Timeout");
  const alive = survivors.filter((each) => !isEquivalent(each));
  const equivalent = survivors.length - alive.length;
  const killed = counted.length - survivors.length;
  const score = (100 * killed) / Math.max(1, counted.length - equivalent);
  return { alive, score, told: `${counted.length} mutants: ${killed} killed, ${equivalent} equivalent, ${alive.length} survived; score ${score.toFixed(1)} %` };
}

const all = [];
const failed = [];
for (const name of chosen) {
  const start = Date.now();
  try {
    const mutants = mutate(name);
    const { alive, told } = judge(mutants);
    for (const { file, line, original, mutator, replacement, status } of alive) {
      console.log(`${status.toLowerCase()} ${file}:${line} ${mutator}: ${original.slice(0, 100)} => ${replacement.slice(0, 100)}`);
    }
    console.log(`${name}: ${told}, in ${((Date.now() - start) / 60_000).toFixed(1)} minutes`);
    all.push(...mutants);
  } catch (error) {
    failed.push(name);
    console.log(`${name}: ${error.message}`);
  }
}
const { score, told } = judge(all);
console.log(`${told} of at least ${SCORE} %${failed.length > 0 ? `; not measured: ${failed.join(", ")}` : ""}`);
process.exitCode = failed.length === 0 && score >= SCORE ? 0 : 1;
