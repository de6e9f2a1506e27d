// Changes that the check of changesets must find, and neighbours that it must not.
import { changesetProblems, namedBy } from "./changesets.mjs";

const PACKAGES = [
  { name: "vram-seal", bundles: ["vram-text"], inputs: ["native/hash/**", "native/abi.h"], released: false },
  { name: "vram-policy", bundles: [], inputs: [], released: false },
];

/** What changed, which packages changesets name, and how many packages are missing there. */
const CASES = [
  [["packages/vram-seal/src/a.ts"], [], 1],
  [["packages/vram-seal/src/a.ts"], ["vram-policy"], 1],
  [["packages/vram-seal/src/a.ts"], ["vram-seal"], 0],
  [["packages/vram-seal/package.json", "packages/vram-policy/README.md"], [], 2],
  [["packages/vram-seal/include/a.h"], [], 1],
  [["packages/vram-text/src/a.ts"], [], 1],
  [["native/hash/path.cpp"], [], 1],
  [["native/abi.h"], [], 1],
  [["native/abi.h.txt", "native/hashes/a.cpp"], [], 0],
  [["packages/vram-seal/src/a.test.ts", "packages/vram-seal/vitest.config.ts", "packages/vram-other/src/a.ts", "docs/a.md"], [], 0],
  [[], [], 0],
];

export function checkChangesetFixtures() {
  const released = PACKAGES.map((each) => ({ ...each, released: true }));
  const named = namedBy('---\n"vram-seal": minor\n"vram-audit": patch\n---\n\nText with a\n---\nrule.\n');
  return [
    ...CASES.filter(([changed, names, count]) => changesetProblems(PACKAGES, changed, names).length !== count).map((each) => `wrong: ${JSON.stringify(each)}`),
    ...changesetProblems(released, ["packages/vram-seal/src/a.ts"], []).map((problem) => `wrongly found in a release: ${problem}`),
    ...(named.join(" ") === "vram-seal vram-audit" ? [] : [`read ${named.join(" ")} in a changeset`]),
    ...(namedBy("---\n---\n").length === 0 ? [] : ["an empty changeset names a package"]),
  ];
}
