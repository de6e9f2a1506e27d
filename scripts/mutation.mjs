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

/** Answers the package's mutants, `{ file, line, mutator, replacement, status }`. */
function mutate(name) {
  const cwd = join(root, "packages", name);
  const report = join(results, `${name}.json`);
  const configFile = join(cwd, "stryker.config.json");
  rmSync(report, { force: true });
  const config = {
    ...{ testRunner: "vitest", plugins: ["@stryker-mutator/vitest-runner"], inPlace: true, tempDirName: ".stryker-tmp", concurrency: 2 },
    ...{ mutate: targets[name], reporters: ["json", "progress-append-only"], jsonReporter: { fileName: report } },
    ...{ incremental: !values.full, incrementalFile: join(results, `${name}-incremental.json`), timeoutMS: 20_000, allowEmpty: false },
    ...{ ignoreStatic: true, vitest: { related: true }, checkers: [], disableTypeChecks: false },
  };
  writeFileSync(configFile, JSON.stringify(config));
  try {
    const { status } = spawnSync(process.execPath, [join(root, "node_modules/@stryker-mutator/core/bin/stryker.js"), "run", configFile], {
      cwd,
      stdio: ["ignore", process.stderr.fd, process.stderr.fd],
    });
    if (!existsSync(report)) throw new Error(`stryker ended with ${status} and no report`);
  } finally {
    rmSync(configFile, { force: true });
  }
  const { files } = JSON.parse(readFileSync(report, "utf8"));
  return Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants.map(({ location, mutatorName, replacement, status }) => ({ file: `${name}/${file}`, line: location.start.line, mutator: mutatorName, replacement, status })),
  );
}

const isEquivalent = ({ file, mutator, replacement }) =>
  EQUIVALENT.some((each) => file.endsWith(each.file) && mutator === each.mutator && (replacement ?? "").includes(each.replacement));

const mutants = chosen.flatMap(mutate).filter(({ status }) => status !== "Ignored" && status !== "CompileError");
const killed = mutants.filter(({ status }) => status === "Killed" || status === "Timeout");
const survivors = mutants.filter((each) => !killed.includes(each));
const equivalent = survivors.filter(isEquivalent);
const alive = survivors.filter((each) => !equivalent.includes(each));
for (const { file, line, mutator, replacement, status } of alive) console.log(`${status.toLowerCase()} ${file}:${line} ${mutator}: ${(replacement ?? "").replaceAll(/\s+/g, " ").slice(0, 100)}`);
const score = (100 * killed.length) / Math.max(1, mutants.length - equivalent.length);
console.log(`${mutants.length} mutants: ${killed.length} killed, ${equivalent.length} equivalent, ${alive.length} survived; score ${score.toFixed(1)} % of at least ${SCORE} %`);
process.exitCode = mutants.length > 0 && score >= SCORE ? 0 : 1;
