// "No panic" is a lint rule each: every fixture breaks one, and eslint or a compiler must say so.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ESLint } from "eslint";
import ts from "typescript";
import { read, root } from "./tree.mjs";

/** By the requirement that each rule keeps: the rule, and what it must refuse. */
const LINTED = [
  ["CD-1", "@typescript-eslint/no-non-null-assertion", "export const first = (list: number[]): number => list[0]!;"],
  ["CD-2", "@typescript-eslint/only-throw-error", 'export function fail(): never {\n  throw "text";\n}'],
  ["CD-2", "@typescript-eslint/prefer-promise-reject-errors", 'export const fail = (): Promise<never> => Promise.reject("text");'],
  ["CD-2", "@typescript-eslint/no-floating-promises", "export function lose(): void {\n  Promise.reject(new Error());\n}"],
  ["CD-3", "no-restricted-syntax", "export function leave(): void {\n  process.exit(1);\n}"],
  ["CD-3", "no-restricted-syntax", "export function leave(): void {\n  process.abort();\n}"],
  ["CD-3", "no-restricted-syntax", "export function leave(): void {\n  process.kill(process.pid);\n}"],
  ["CD-4", "@typescript-eslint/no-explicit-any", "export const loose = (value: any): number => Number(value);"],
  ["CD-4", "@typescript-eslint/no-unsafe-member-access", "export const loose = (text: string): unknown => JSON.parse(text).length;"],
  ["CD-5", "@typescript-eslint/restrict-plus-operands", "export const end = (offset: number, length: string): string => offset + length;"],
  ["IO-2", "no-restricted-syntax", "export const sum = (used: number, more: number): number => (used + more) | 0;"],
  ["PL-5", "no-console", "export function tell(address: number): void {\n  console.log(address);\n}"],
  ["PL-5", "no-restricted-syntax", "export const tell = (address: number): string => address.toString(16);"],
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

/** The checks by requirement: each wants every fixture of its own refused. */
export const lintRuleChecks = (() => {
  let linted;
  return Object.fromEntries(
    [...new Set(LINTED.map(([id]) => id))].map((id) => [
      id,
      async () => {
        linted ??= lintFixtures();
        return (await linted).filter((each) => each.id === id && !each.refused).map(({ rule, code }) => `${rule} did not refuse: ${code}`);
      },
    ]),
  );
})();

async function lintFixtures() {
  const folder = join(root, "packages/vram-text/src/lint-fixtures");
  mkdirSync(folder, { recursive: true });
  try {
    const files = LINTED.map(([, , code], index) => {
      const file = join(folder, `fixture-${index}.ts`);
      writeFileSync(file, `${code}\n`);
      return file;
    });
    const results = await new ESLint({ cwd: root }).lintFiles(files);
    return LINTED.map(([id, rule, code], index) => ({ id, rule, code, refused: results[index].messages.some(({ ruleId }) => ruleId === rule) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Compiled from memory, under the options that every package extends. */
export function checkIndexRule() {
  const config = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const file = join(root, "index-fixture.ts");
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, UNCHECKED_INDEX, ...rest) : getSourceFile(name, ...rest));
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([file], { ...options, types: [] }, host));
  return diagnostics.some(({ code }) => code === 2322) ? [] : ["noUncheckedIndexedAccess did not refuse an unchecked index"];
}

/** The flags come from the file that every native target takes them from. */
export function checkNativeRules() {
  const flags = /set\(VRAM_WARNINGS ([^)]+)\)/.exec(read("native/cmake/flags.cmake"))?.[1];
  if (flags === undefined) return ["native/cmake/flags.cmake has no warnings"];
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
