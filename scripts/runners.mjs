// Everything that runs tests: how it is started, where it leaves its report, and which files its results depend on.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, root } from "./checks/tree.mjs";

const results = join(root, ".results");
const packages = readdirSync(join(root, "packages")).sort();
const CODE = /^(packages\/[^/]+\/(src|include|CMakeLists)|native\/|examples\/|pnpm-lock)/;

const script = (name, file, { args = [], inputs }) => {
  const report = join(results, `${file}.json`);
  return { name, cwd: root, args: [`scripts/${file}.mjs`, ...args, "--json", report], report, inputs };
};

export const runners = [
  script("checks", "check", { inputs: /./ }),
  script("native", "native-test", { inputs: /^(native|packages\/vram-cuda\/include|scripts\/native-test)/ }),
  script("driver faults", "chaos", { args: ["--check"], inputs: new RegExp(`${CODE.source}|^(scripts/chaos|docs/spec/outcomes)`) }),
  script("documents", "docs-check", { inputs: new RegExp(`${CODE.source}|\\.md$|^scripts/(docs|checks|free-ports|tarballs)|^tsconfig`) }),
  script("fuzzing", "fuzz", { args: ["--seconds", "60"], inputs: new RegExp(`${CODE.source}|^scripts/(fuzz|random)`) }),
  script("packages", "packed", { inputs: new RegExp(`${CODE.source}|^packages/[^/]+/package\\.json|^scripts/(packed|prebuilds|tarballs|run-program|pnpm)|^tsup`) }),
  ...packages.map((name) => {
    const cwd = join(root, "packages", name);
    const own = new RegExp(`${CODE.source}|^packages/${name}/|^vitest`);
    const report = join(cwd, ".results/vitest.json");
    const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--reporter=default", "--reporter=json", `--outputFile=${report}`];
    return { name, cwd, args, report, inputs: own };
  }),
];

/** Runs one to its end; answers its exit status. `stdio` is that of a child process. */
export function run({ args, cwd, report }, stdio = "inherit") {
  rmSync(report, { force: true });
  return spawnSync(process.execPath, args, { cwd, stdio }).status;
}

/** Whether the report is there and no file that it depends on is newer. */
export function isFresh({ report, inputs }) {
  if (!existsSync(report)) return false;
  const { mtimeMs } = statSync(report);
  return projectFiles(inputs).every((file) => statSync(join(root, file)).mtimeMs <= mtimeMs);
}

/**
 * The tests of a report, `{ title, status, message }` with the status passed, failed or skipped: Vitest reports in Jest's
 * words, our own runners in plain ones. `counts` is what the report says itself.
 */
export function readReport({ report }) {
  if (!existsSync(report)) return { counts: { passed: 0, failed: 0 }, tests: [] };
  const { passed, failed, cases = [], numPassedTests = passed, numFailedTests = failed, testResults = [] } = JSON.parse(readFileSync(report, "utf8"));
  const tests = [
    ...cases.map(({ title, ok }) => ({ title, status: ok ? "passed" : "failed" })),
    ...testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ fullName, title, status }) => ({
        title: fullName,
        own: title,
        file: name.slice(root.length),
        status: status === "passed" || status === "failed" ? status : "skipped",
      })),
    ),
  ];
  return { counts: { passed: numPassedTests, failed: numFailedTests }, tests };
}
