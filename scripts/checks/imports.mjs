// The directions of architecture.md: leaves import no sibling, the facade imports leaves; binding → ops → device → driver.
import { dirname, normalize } from "node:path";
import { projectFiles, read } from "./tree.mjs";

const LEAVES = ["vram-audit", "vram-cuda", "vram-policy", "vram-seal", "vram-simulator"];

/** Which workspace packages the production code of a package may import. Type-only imports count too. */
const ALLOWED = {
  ...Object.fromEntries(LEAVES.map((leaf) => [leaf, ["vram-text"]])),
  "vram-text": [],
  "vram-residency": ["vram-audit", "vram-cuda", "vram-policy", "vram-seal", "vram-text"],
};

/** Which folders under native/ a folder may include from; itself always. */
const NATIVE_ALLOWED = {
  kernel: [],
  driver: [],
  device: ["driver", "kernel"],
  ops: ["device", "driver", "kernel"],
  binding: ["ops", "device", "driver"],
  simulator: ["driver", "kernel"],
};

/** What is wrong with one TypeScript file's imports. Packages are known by name; the simulator may be loaded by `import()`. */
export function typeScriptProblems(file, text) {
  const from = /^packages\/([^/]+)\/src\//.exec(file)?.[1];
  if (from === undefined) return [];
  const problems = [];
  const imports = /(?:^|\n)\s*(?:import|export)\b[^;"']*?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|\brequire\(\s*["']([^"']+)["']\s*\)/g;
  for (const [, fixed, dynamic, required] of text.matchAll(imports)) {
    const specifier = fixed ?? dynamic ?? required;
    const target = specifier.split("/")[0];
    if (!Object.hasOwn(ALLOWED, target) || target === from) continue;
    const lazily = dynamic !== undefined && from === "vram-residency" && target === "vram-simulator";
    if (!lazily && !ALLOWED[from].includes(target)) problems.push(`${file}: ${from} must not import ${specifier}`);
  }
  return problems;
}

/** What is wrong with one C++ file's includes: their direction, and Node's interface outside the bindings. */
export function cppProblems(file, text) {
  const folder = /^native\/([^/]+)\//.exec(file)?.[1];
  if (folder === undefined || folder === "test" || file.includes("/test/")) return [];
  if (!Object.hasOwn(NATIVE_ALLOWED, folder)) return [`${file}: no rule for native/${folder}`];
  const problems = [];
  for (const [, name] of text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)) {
    if (/^(napi|node_api|js_native_api)/.test(name) && folder !== "binding" && !file.endsWith("_binding.cpp")) {
      problems.push(`${file}: only bindings include ${name}`);
    }
    const path = name.startsWith(".") ? normalize(`${dirname(file)}/${name}`).replace(/^native\//, "") : name;
    const target = path.includes("/") ? path.split("/")[0] : folder;
    const known = Object.hasOwn(NATIVE_ALLOWED, target);
    if (known && target !== folder && !NATIVE_ALLOWED[folder].includes(target)) {
      problems.push(`${file}: ${folder} must not include ${name}`);
    }
  }
  return problems;
}

/** Tests may import what they need; fixtures are for the compiler alone. */
export const checkTypeScriptImports = () =>
  projectFiles(/^packages\/[^/]+\/src\/.*\.ts$/)
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => typeScriptProblems(file, read(file)));

export const checkCppImports = () =>
  projectFiles(/^native\/.*\.(cpp|h|cu|inc)$/).flatMap((file) => cppProblems(file, read(file)));
