// What the verification matrix must find wrong with tests, and with the contract itself.
import { judge } from "../matrix/judge.mjs";
import { readRequirements } from "../matrix/requirements.mjs";
import { read } from "./tree.mjs";

const FILE = "packages/vram-residency/test/requirements/a.test.ts";
const contract = {
  items: [{ kind: "vectors", group: "g", id: "SF-1", holds: "h", mechanism: ["README.md"], tests: ["test_a"] }],
  ...{ names: ["test_a"], scenarios: ["Do a thing"], properties: ["some_property"], aliases: { "WORKER-4101": ["SF-1"] } },
};
const test = (own, more = {}) => ({ title: own, own, file: FILE, status: "passed", runner: "vram-residency", ...more });
const GOOD = [test("SF-1 test_a holds"), test("Scenario: Do a thing", { file: "a.feature" }), test("SF-1 some_property")];
const instead = (changed) => [changed, ...GOOD.slice(1)];

const BAD = {
  "a requirement without its named test": instead(test("SF-1 holds")),
  "a requirement whose test is elsewhere": GOOD.map((each) => ({ ...each, file: each.file.replace("requirements", "other") })),
  "a test that was renamed to an unknown requirement": [...GOOD, test("SF-9 holds")],
  "a test that was renamed to an unknown name": [...GOOD, test("SF-1 test_b holds")],
  "a test that says no requirement": [...GOOD, test("holds")],
  "a failed test": [...GOOD, test("SF-1 other", { status: "failed" })],
  "a failed test of no requirement": [...GOOD, test("other", { file: "a.test.ts", status: "failed" })],
  "a skipped test": instead(test("SF-1 test_a holds", { status: "skipped" })),
  "a missing scenario": GOOD.slice(0, 1),
  "a missing property": GOOD.slice(0, 2),
  "nothing": [],
};

const whole = JSON.parse(read("docs/spec/requirements.json"));
const BAD_CONTRACTS = {
  "a vector less": { ...whole, surfaces: whole.surfaces.slice(1) },
  "a scenario less": { ...whole, scenarios: whole.scenarios.slice(1) },
  "a requirement twice": { ...whole, functional: [...whole.functional, whole.functional[0]] },
  "a mechanism that is not there": { ...whole, functional: [{ ...whole.functional[0], mechanism: ["no/such/file"] }] },
  "an alias of nothing": { ...whole, aliases: { "WORKER-1": ["WORKER-2"] } },
};

export function checkMatrixFixtures() {
  const good = judge(contract, GOOD).problems;
  return [
    ...good.map((problem) => `wrongly found: ${problem}`),
    ...Object.keys(BAD).filter((name) => judge(contract, BAD[name]).problems.length === 0).map((name) => `not found: ${name}`),
    ...Object.keys(BAD_CONTRACTS)
      .filter((name) => readRequirements(JSON.stringify(BAD_CONTRACTS[name])).problems.length === 0)
      .map((name) => `not found: ${name}`),
  ];
}
