// Violations that the checks of text must find, one problem each, and neighbours that they must not.
import { documentProblems, textProblems } from "./documents.mjs";
import { copyProblems } from "./examples.mjs";
import { importProblems, manifestProblems } from "./imports.mjs";
import { includeProblems } from "./includes.mjs";
import { projectFiles } from "./tree.mjs";

const SEAL = "packages/vram-seal/src/a.ts";
const FACADE = "packages/vram-residency/src/a.ts";

const VIOLATIONS = [
  [importProblems, SEAL, 'import { x } from "vram-cuda";'],
  [importProblems, SEAL, 'import type { X } from "vram-audit";'],
  [importProblems, SEAL, 'import {\n  x, // don\'t; really\n} from "vram-policy";'],
  [importProblems, SEAL, 'import "vram-policy";'],
  [importProblems, SEAL, 'import x = require("vram-policy");'],
  [importProblems, SEAL, 'const x = createRequire(import.meta.url)("vram-policy");'],
  [importProblems, SEAL, 'const x: typeof import("vram-policy") = y;'],
  [importProblems, SEAL, "const x = await import(`vram-cuda`);"],
  [importProblems, SEAL, "const x = await import(name);"],
  [importProblems, SEAL, 'import { x } from "../../vram-cuda/src/index.js";'],
  [importProblems, "packages/vram-cuda/src/a.ts", 'const x = await import("vram-simulator");'],
  [importProblems, FACADE, 'import { simulator } from "vram-simulator";'],
  [importProblems, FACADE, 'export { tamper } from "vram-simulator/tamper";'],
  [importProblems, "packages/vram-policy/src/a.ts", 'export { x } from "vram-residency";'],
  [importProblems, "packages/vram-new/src/a.ts", ""],
  [manifestProblems, { name: "vram-seal", dependencies: { "vram-text": "1" } }],
  [manifestProblems, { name: "vram-seal", optionalDependencies: { "vram-cuda": "1" } }],
  [manifestProblems, { name: "vram-residency", dependencies: { "vram-simulator": "1" } }],
  [manifestProblems, { name: "vram-residency", peerDependencies: { "vram-simulator": "1" } }],
  [manifestProblems, { name: "vram-new" }],
  [manifestProblems, { name: "vram-cuda", scripts: { install: "node dist/build.js" } }],
  [includeProblems, "native/ops/a.cpp", '#include "binding/b.h"'],
  [includeProblems, "native/ops/a.cpp", "#include <napi.h>"],
  [includeProblems, "native/simulator/machine.cpp", "#include <node_api.h>"],
  [includeProblems, "native/device/a.h", '#include "../ops/b.h"'],
  [includeProblems, "native/device/a.h", '  #  include "kernel/sha256.h"'],
  [includeProblems, "native/driver/a.h", '#include "device/b.h"'],
  [includeProblems, "native/driver/a.h", '#include "test/harness.h"'],
  [includeProblems, "native/driver/a.h", '#include "../../scripts/b.h"'],
  [includeProblems, "native/driver/a.h", "#include HEADER"],
  [includeProblems, "native/simulator/a.cpp", '#include "../device/b.h"'],
  [includeProblems, "native/kernel/a.h", '#include "driver/abi.h"'],
  [includeProblems, "native/new/a.h", ""],
  [documentProblems, "README.md", "line\n".repeat(150)],
  [documentProblems, "docs/STATUS.md", "all done"],
  [textProblems, "a.json", ["https://registry", "npmjs", "org/a.tgz"].join(".")],
  [textProblems, "a.ts", ["// see ", "home", "somebody", "notes"].join("/")],
  [copyProblems, [["examples/a/log.js", "1"], ["examples/b/log.js", "2"]]],
];

const PERMITTED = [
  [copyProblems, [["examples/a/log.js", "1"], ["examples/b/log.js", "1"], ["examples/a/worker.js", "1"], ["examples/b/worker.js", "2"]]],
  [importProblems, SEAL, 'import { x } from "vram-text";\nimport { y } from "./b.js";\nimport { z } from "node:fs";'],
  [importProblems, SEAL, '// import { x } from "vram-cuda";\nconst label = "vram-cuda/x";\nhkdf("vram-seal/v1");'],
  [importProblems, FACADE, 'import { x } from "vram-cuda";\nconst y = await import("vram-simulator/tamper");'],
  [manifestProblems, { name: "vram-seal", dependencies: { zod: "1" }, devDependencies: { "vram-text": "1", "vram-cuda": "1" } }],
  [manifestProblems, { name: "vram-cuda", scripts: { build: "tsup", prepack: "node stage.mjs" } }],
  [includeProblems, "native/binding/a.cpp", '#include <napi.h>\n#include "ops/b.h"'],
  [includeProblems, "native/simulator/control_binding.cpp", "#include <napi.h>"],
  [includeProblems, "native/device/a.h", '#include "driver/abi.h"\n#include "b.h"\n#include <vector>'],
  [documentProblems, "README.md", "line\n".repeat(149)],
  [textProblems, "a.ts", '"./home/a" and packages/work/b'],
];

function emptyInputProblems() {
  try {
    return [`a check of nothing passes: ${projectFiles(/^no-such-file$/)}`];
  } catch {
    return [];
  }
}

export function checkRuleFixtures() {
  const told = ([, ...fixture]) => JSON.stringify(fixture);
  return [
    ...VIOLATIONS.filter(([check, ...fixture]) => check(...fixture).length !== 1).map((each) => `not found: ${told(each)}`),
    ...PERMITTED.filter(([check, ...fixture]) => check(...fixture).length !== 0).map((each) => `wrongly found: ${told(each)}`),
    ...emptyInputProblems(),
  ];
}
