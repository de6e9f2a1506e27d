// From where, and what, may not be published.
import { createHash } from "node:crypto";
import { releaseProblems } from "../release/publish.mjs";

const SUMS = `${"a".repeat(64)}  vram-policy-1.0.0.tgz\n${"b".repeat(64)}  vram-seal-1.0.0.tgz\n`;
const TARBALLS = [
  { name: "vram-seal", version: "1.0.0", file: "tarballs/vram-seal-1.0.0.tgz", sha256: "b".repeat(64) },
  { name: "vram-policy", version: "1.0.0", file: "tarballs/vram-policy-1.0.0.tgz", sha256: "a".repeat(64) },
];
const ENVIRONMENT = {
  GITHUB_ACTIONS: "true",
  GITHUB_WORKFLOW_REF: "vram-residency/vram-residency/.github/workflows/release.yml@refs/heads/main",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://identity.example/",
  VRAM_CHECKED_DIGEST: createHash("sha256").update(SUMS).digest("hex"),
};

const VIOLATIONS = {
  "another place": [{ GITHUB_ACTIONS: undefined }],
  "another branch": [{ GITHUB_WORKFLOW_REF: "vram-residency/vram-residency/.github/workflows/release.yml@refs/heads/other" }],
  "another workflow": [{ GITHUB_WORKFLOW_REF: "vram-residency/vram-residency/.github/workflows/ci.yml@refs/heads/main" }],
  "no identity": [{ ACTIONS_ID_TOKEN_REQUEST_URL: "" }],
  "no check": [{ VRAM_CHECKED_DIGEST: undefined }],
  "other tarballs than those checked": [{ VRAM_CHECKED_DIGEST: "c".repeat(64) }],
  "other bytes than SHA256SUMS has": [{}, TARBALLS.map((each) => ({ ...each, sha256: "c".repeat(64) }))],
  "a tarball more": [{}, [...TARBALLS, { ...TARBALLS[0], file: "tarballs/other.tgz" }]],
  "a tarball less": [{}, TARBALLS.slice(1)],
  "no version": [{}, TARBALLS.map((each, index) => (index === 0 ? { ...each, version: "0.0.0" } : each))],
};

export function checkPublishFixtures() {
  const problemsOf = ([env, tarballs = TARBALLS]) => releaseProblems({ ...ENVIRONMENT, ...env }, tarballs, SUMS);
  return [
    ...problemsOf([{}]).map((problem) => `wrongly refused: ${problem}`),
    ...Object.entries(VIOLATIONS).filter(([, violation]) => problemsOf(violation).length !== 1).map(([name]) => `not refused once: ${name}`),
  ];
}
