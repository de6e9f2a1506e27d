// "No panic" is a lint rule each: every fixture breaks one, and eslint must say so.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ESLint } from "eslint";
import ts from "typescript";
import { root } from "./tree.mjs";

const LINTED = [
  ["@typescript-eslint/no-non-null-assertion", "export const first = (list: number[]): number => list[0]!;"],
  ["@typescript-eslint/only-throw-error", 'export function fail(): never {\n  throw "text";\n}'],
  ["no-restricted-syntax", "export function leave(): void {\n  process.exit(1);\n}"],
  ["no-restricted-syntax", "export function leave(): void {\n  process.abort();\n}"],
  ["no-restricted-syntax", 'export * from "node:fs";'],
  ["@typescript-eslint/no-floating-promises", "export function lose(): void {\n  Promise.reject(new Error());\n}"],
  ["@typescript-eslint/no-explicit-any", "export const loose = (value: any): number => Number(value);"],
];

/** The compiler's own rule: an index may be out of range. */
const UNCHECKED_INDEX = "export const first = (list: readonly number[]): number => list[0];";

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
