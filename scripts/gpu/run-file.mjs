// Runs one bundled test file in this process and writes its cases: node gpu/run-file.mjs FILE REPORT
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { startTests } from "@vitest/runner";
import { getSuites, getTestName, getTests } from "@vitest/runner/utils";

const SIMULATOR = /libvram_simulator\.so|vram_simulator_control\.node/;
const [file, report] = process.argv.slice(2);

const config = {
  ...{ root: process.cwd(), name: undefined, setupFiles: [], passWithNoTests: false, allowOnly: false, includeTaskLocation: false },
  ...{ tags: [], tagsFilter: undefined, strictTags: true, testNamePattern: undefined, chaiConfig: undefined, retry: 0 },
  ...{ sequence: { seed: 0, hooks: "stack", setupFiles: "list" }, maxConcurrency: 1, testTimeout: 120_000, hookTimeout: 120_000 },
};

const messagesOf = ({ result }) => (result?.errors ?? []).map(({ message, stack }) => stack ?? message);
const statusOf = ({ mode, result }) => {
  if (mode === "skip" || mode === "todo") return "skipped";
  return result?.state === "pass" ? "passed" : "failed";
};

// A test may wait for a timer that keeps no process, such as that of AbortSignal.timeout().
setInterval(() => undefined, 1000);
const files = await startTests([file], { config, importFile: (path) => import(pathToFileURL(path).href) });
const suites = getSuites(files).filter((suite) => messagesOf(suite).length > 0);
const cases = [
  ...getTests(files).map((test) => ({ title: getTestName(test), status: statusOf(test), message: messagesOf(test).join("\n") })),
  // A file that does not load and a hook that fails are failures of no test.
  ...suites.map((suite) => ({ title: `around the tests of ${suite.name}`, status: "failed", message: messagesOf(suite).join("\n") })),
];
if (process.env.VRAM_TEST_BACKEND === "cuda" && SIMULATOR.test(readFileSync("/proc/self/maps", "latin1"))) {
  cases.push({ title: "a test for the GPU loaded the simulator", status: "failed", message: "" });
}
writeFileSync(report, JSON.stringify(cases));
process.exit(0);
