// "No panic" is a lint rule each: every fixture breaks one, and eslint or a compiler must say so.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ESLint } from "eslint";
import ts from "typescript";
import { read, root } from "./tree.mjs";

const LINTED = [
  ["@typescript-eslint/no-non-null-assertion", "export const first = (list: number[]): number => list[0]!;"],
  ["@typescript-eslint/only-throw-error", 'export function fail(): never {\n  throw "text";\n}'],
  ["no-restricted-syntax", "export function leave(): void {\n  process.exit(1);\n}"],
  ["no-restricted-syntax", "export function leave(): void {\n  process.abort();\n}"],
  ["no-restricted-syntax", 'export * from "node:fs";'],
  ["@typescript-eslint/no-floating-promises", "export function lose(): void {\n  Promise.reject(new Error());\n}"],
  ["@typescript-eslint/restrict-plus-operands", "export const end = (offset: number, length: string): string => offset + length;"],
  ["@typescript-eslint/no-explicit-any", "export const loose = (value: any): number => Number(value);"],
];

/** The compiler's own rule: an index may be out of range. */
const UNCHECKED_INDEX = "export const first = (list: readonly number[]): number => list[0];";

/** Arithmetic on sizes that loses bits, and the warning that native code is built with as an error. */
const NATIVE = [
  ["conversion", "unsigned narrow(unsigned long long bytes) { return bytes; }"],
  ["float-conversion", "unsigned long long whole(double bytes) { return bytes; }"],
  ["sign-compare", "bool within(int offset, unsigned length) { return offset < length; }"],
];
const NATIVE_CLEAN = "unsigned long long wide(unsigned bytes) { return bytes; }";

export async function checkLintRules() {
  const folder = join(root, "packages/vram-text/src/lint-fixtures");
  mkdirSync(folder, { recursive: true });
  try {
    const files = LINTED.map(([, code], index) => {
      const file = join(folder, `fixture-${index}.ts`);
      writeFileSync(file, `${code}\n`);
      return file;
    });
    const results = await new ESLint({ cwd: root }).lintFiles(files);
    const missed = LINTED.filter(([rule], index) => !results[index].messages.some(({ ruleId }) => ruleId === rule));
    return [...missed.map(([rule, code]) => `${rule} did not refuse: ${code}`), ...indexProblems(join(folder, "index.ts"))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function indexProblems(file) {
  writeFileSync(file, UNCHECKED_INDEX);
  const config = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([file], { ...options, types: [] }));
  return diagnostics.some(({ code }) => code === 2322) ? [] : ["noUncheckedIndexedAccess did not refuse an unchecked index"];
}

/** The flags come from the file that every native target takes them from. */
export function checkNativeRules() {
  const flags = /target_compile_options\(\$\{target\} PRIVATE ([^)]+)\)/.exec(read("native/cmake/flags.cmake"))?.[1];
  if (flags === undefined) return ["native/cmake/flags.cmake has no compile options"];
  const refusal = (code) => {
    const args = ["-std=c++20", ...flags.split(/\s+/), "-fsyntax-only", "-x", "c++", "-"];
    return spawnSync("c++", args, { input: `${code}\n`, encoding: "utf8" });
  };
  const clean = refusal(NATIVE_CLEAN);
  return [
    ...(clean.status === 0 ? [] : [`refused: ${NATIVE_CLEAN}: ${clean.stderr}`]),
    ...NATIVE.filter(([rule, code]) => !refusal(code).stderr.includes(`-Werror=${rule}`)).map(([rule, code]) => `-W${rule} did not refuse: ${code}`),
  ];
}
