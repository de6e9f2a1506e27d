// Runs every check that is not a test of behaviour, one line each; `--json FILE` writes the counts.
import { checkBenchFixtures } from "./checks/bench-fixtures.mjs";
import { checkChangesetFixtures } from "./checks/changeset-fixtures.mjs";
import { checkChangesets } from "./checks/changesets.mjs";
import { checkAbi, checkCompiles, checkLint, checkPtx } from "./checks/compilers.mjs";
import { checkDefences } from "./checks/defences.mjs";
import { checkDocuments } from "./checks/documents.mjs";
import { checkExamples } from "./checks/examples.mjs";
import { checkGpuTests } from "./checks/gpu-tests.mjs";
import { checkImports, checkManifests } from "./checks/imports.mjs";
import { checkIncludes } from "./checks/includes.mjs";
import { checkIndexRule, checkNativeRules, lintRuleChecks } from "./checks/lint-fixtures.mjs";
import { checkMatrixFixtures } from "./checks/matrix-fixtures.mjs";
import { checkFloorAdditions, checkPinnedCompilers, checkPrebuildFixtures } from "./checks/prebuild-fixtures.mjs";
import { checkProbe } from "./checks/probe.mjs";
import { checkPublishFixtures } from "./checks/publish-fixtures.mjs";
import { checkRegistryRefusal } from "./checks/registry-fixtures.mjs";
import { checkRuleFixtures } from "./checks/rule-fixtures.mjs";
import { checkTarballFixtures } from "./checks/tarball-fixtures.mjs";
import { checkUnused } from "./checks/unused.mjs";
import { checkWorkflowFixtures, checkWorkflows } from "./checks/workflows.mjs";
import { runChecks } from "./checks/run-checks.mjs";

const checks = [
  ["TypeScript imports go one way", checkImports],
  ["dependencies of packages go the same way", checkManifests],
  ["C++ includes go one way", checkIncludes],
  ["documents keep their rules", checkDocuments],
  ["what several examples need is the same file in each", checkExamples],
  ["each of these rules finds its violations, and refuses to judge nothing", checkRuleFixtures],
  ["the verification matrix finds what is missing, renamed, skipped or failed", checkMatrixFixtures],
  ["what users get and that changed is named by a changeset", checkChangesets],
  ["the check of changesets finds what is missing", checkChangesetFixtures],
  ["the check of tarballs finds each violation", checkTarballFixtures],
  ["a rehearsal of a release stops at a registry that is not on this machine", checkRegistryRefusal],
  ["nothing is published from elsewhere than the release workflow, and nothing unchecked", checkPublishFixtures],
  ["the workflows keep their rules", checkWorkflows],
  ["the check of workflows finds each violation", checkWorkflowFixtures],
  ["the benchmark's comparison finds a ratio that fell beyond its noise", checkBenchFixtures],
  ["the check of prebuilt addons finds what an old system does not have", checkPrebuildFixtures],
  ["what an old system does not have is supplied to prebuilt addons", checkFloorAdditions],
  ["prebuilt addons are made by no other compiler than the one that is pinned", checkPinnedCompilers],
  ["each defence stands in its file as the list of defences has it", checkDefences],
  ["the driver's interface is the toolkit's", checkAbi],
  ["the kernel's PTX is what its source compiles to", checkPtx],
  ["the GPU probe builds, and answers on the simulator", checkProbe],
  ["the contract tests bundle for a machine with a GPU", checkGpuTests],
  ["no file and no dependency is unused", checkUnused],
  ["every package type-checks", checkCompiles],
  ["eslint finds nothing", checkLint],
  ...Object.entries(lintRuleChecks).map(([id, check]) => [`${id} each lint rule refuses its violation`, check]),
  ["CD-4 an unchecked index does not compile", checkIndexRule],
  ["CD-5 lossy arithmetic on sizes does not compile", checkNativeRules],
];

await runChecks(checks);
