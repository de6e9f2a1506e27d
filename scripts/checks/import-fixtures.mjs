// Violations that the import check must find, and neighbours that it must not.
import { cppProblems, typeScriptProblems } from "./imports.mjs";

const VIOLATIONS = [
  [typeScriptProblems, "packages/vram-seal/src/a.ts", 'import { x } from "vram-cuda";'],
  [typeScriptProblems, "packages/vram-seal/src/a.ts", 'import type { X } from "vram-audit";'],
  [typeScriptProblems, "packages/vram-seal/src/a.ts", 'import {\n  x,\n} from "vram-policy";'],
  [typeScriptProblems, "packages/vram-cuda/src/a.ts", 'const x = await import("vram-simulator");'],
  [typeScriptProblems, "packages/vram-residency/src/a.ts", 'import { simulator } from "vram-simulator";'],
  [typeScriptProblems, "packages/vram-policy/src/a.ts", 'export { x } from "vram-residency";'],
  [cppProblems, "native/ops/a.cpp", '#include "binding/b.h"'],
  [cppProblems, "native/ops/a.cpp", "#include <napi.h>"],
  [cppProblems, "native/device/a.h", '#include "../ops/b.h"'],
  [cppProblems, "native/driver/a.h", '#include "device/b.h"'],
  [cppProblems, "native/simulator/a.cpp", '#include "../device/b.h"'],
  [cppProblems, "native/kernel/a.h", '#include "driver/abi.h"'],
];

const PERMITTED = [
  [typeScriptProblems, "packages/vram-seal/src/a.ts", 'import { x } from "vram-text";'],
  [typeScriptProblems, "packages/vram-residency/src/a.ts", 'const x = await import("vram-simulator/tamper");'],
  [typeScriptProblems, "packages/vram-seal/test/a.ts", 'import { x } from "vram-cuda";'],
  [cppProblems, "native/binding/a.cpp", '#include <napi.h>\n#include "ops/b.h"'],
  [cppProblems, "native/simulator/control_binding.cpp", "#include <napi.h>"],
  [cppProblems, "native/device/a.h", '#include "driver/abi.h"\n#include "b.h"'],
];

export const checkImportRules = () => [
  ...VIOLATIONS.filter(([check, file, text]) => check(file, text).length !== 1).map(([, file, text]) => `not found: ${file}: ${text}`),
  ...PERMITTED.filter(([check, file, text]) => check(file, text).length !== 0).map(([, file, text]) => `wrongly found: ${file}: ${text}`),
];
