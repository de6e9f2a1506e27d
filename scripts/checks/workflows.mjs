// What a workflow may do: two actions by digest, no more rights than its job needs, nothing of a stranger's in a command.
import { parse } from "yaml";
import { projectFiles, read } from "./tree.mjs";

const ACTION = /^actions\/(checkout|setup-node)@[0-9a-f]{40}$/;
const IMAGE = /@sha256:[0-9a-f]{64}$/;
/** These run a stranger's change with the repository's rights. */
const REFUSED_EVENTS = ["pull_request_target", "workflow_run", "issue_comment"];
const PUBLISHER = { file: ".github/workflows/release.yml", job: "publish", environment: "release" };

function stepProblems({ uses, run = "", with: options = {} }) {
  return [
    ...(uses === undefined || ACTION.test(uses) ? [] : [`uses ${uses}`]),
    ...(uses?.startsWith("actions/checkout@") && options["persist-credentials"] !== false ? ["keeps its credentials"] : []),
    ...(run.includes("${{") ? ["puts an expression into a command"] : []),
  ];
}

function jobProblems(file, name, { permissions, container, environment, steps = [], "timeout-minutes": minutes }) {
  const mayPublish = file === PUBLISHER.file && name === PUBLISHER.job && environment === PUBLISHER.environment;
  const granted = Object.entries(permissions ?? {}).filter(([right, level]) => level !== "read" && !(right === "id-token" && mayPublish));
  return [
    ...(typeof permissions === "object" ? [] : ["does not say its permissions"]),
    ...granted.map(([right, level]) => `has ${right}: ${level}`),
    ...(typeof minutes === "number" ? [] : ["has no time limit"]),
    ...(container === undefined || IMAGE.test(container.image ?? container) ? [] : ["has a container without a digest"]),
    ...(steps.length > 0 ? [] : ["has no step"]),
    ...steps.flatMap(stepProblems),
  ].map((problem) => `${name} ${problem}`);
}

/** What is wrong with one workflow's text. */
export function workflowProblems(file, text) {
  const { on, permissions, concurrency, jobs = {} } = parse(text);
  const events = typeof on === "string" ? [on] : Array.isArray(on) ? on : Object.keys(on ?? {});
  const unnamed = text.split("\n").filter((line) => /uses:/.test(line) && !/# v\d+\.\d+\.\d+$/.test(line));
  return [
    ...events.filter((event) => REFUSED_EVENTS.includes(event)).map((event) => `runs on ${event}`),
    ...(permissions !== null && typeof permissions === "object" && Object.keys(permissions).length === 0 ? [] : ["does not begin without permissions"]),
    ...(concurrency === undefined ? ["may run beside itself"] : []),
    ...(/\bsecrets\s*[.[]/.test(text) ? ["reads a secret"] : []),
    ...unnamed.map((line) => `does not say the version of: ${line.trim()}`),
    ...(Object.keys(jobs).length > 0 ? [] : ["has no job"]),
    ...Object.entries(jobs).flatMap(([name, job]) => jobProblems(file, name, job)),
  ].map((problem) => `${file}: ${problem}`);
}

export function checkWorkflows() {
  return projectFiles(/^\.github\/workflows\//).flatMap((file) => workflowProblems(file, read(file)));
}

const DIGEST = "0123456789".repeat(4);
const GOOD = `on: push
permissions: {}
concurrency: ci
jobs:
  publish:
    runs-on: ubuntu-24.04
    container: debian@sha256:${"0".repeat(64)}
    environment: release
    timeout-minutes: 5
    permissions:
      id-token: write
    steps:
      - uses: actions/checkout@${DIGEST} # v1.2.3
        with:
          persist-credentials: false
      - run: npm test
        env:
          TITLE: \${{ github.event.pull_request.title }}
`;

/** What each violation writes instead of what. */
const VIOLATIONS = [
  ["on: push", "on: pull_request_target"],
  ["on: push", "on: [push, workflow_run]"],
  ["permissions: {}", "permissions: read-all"],
  ["permissions: {}\n", ""],
  ["concurrency: ci\n", ""],
  ["actions/checkout@", "someone/checkout@"],
  [DIGEST, "v6"],
  [" # v1.2.3", ""],
  ["persist-credentials: false", "persist-credentials: true"],
  ["npm test", "npm test ${{ github.event.pull_request.title }}"],
  ["github.event.pull_request.title", "secrets.NPM_TOKEN"],
  ["    timeout-minutes: 5\n", ""],
  [`@sha256:${"0".repeat(64)}`, ":bookworm"],
  ["    permissions:\n      id-token: write\n", ""],
  ["id-token: write", "contents: write"],
  ["  publish:", "  test:"],
  ["    environment: release\n", ""],
];

export function checkWorkflowFixtures() {
  const problemsOf = (text) => workflowProblems(PUBLISHER.file, text);
  return [
    ...problemsOf(GOOD).map((problem) => `wrongly found: ${problem}`),
    ...VIOLATIONS.filter(([from, to]) => problemsOf(GOOD.replace(from, () => to)).length !== 1).map(([, to]) => `not found once: ${to}`),
    ...(workflowProblems(".github/workflows/ci.yml", GOOD).length === 1 ? [] : ["another workflow may publish"]),
  ];
}
