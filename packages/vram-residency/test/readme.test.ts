import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it, onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const dist = join(root, "packages/vram-residency/dist");

it.each(["README.md", "docs/guide/tracing.md"])("the TypeScript of %s compiles against the built packages", { timeout: 60_000 }, (document) => {
  const text = readFileSync(join(root, document), "utf8");
  const blocks = [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
  expect(blocks.length).toBeGreaterThan(0);

  const folder = mkdtempSync(join(tmpdir(), "vram-readme-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  symlinkSync(join(root, "packages/vram-residency/node_modules"), join(folder, "node_modules"));
  const files = blocks.map((code, index) => {
    const file = join(folder, `block-${index}.mts`);
    writeFileSync(file, code.replaceAll(/"vram-residency(?:\/(\w+))?"/g, (_, entry = "index") => JSON.stringify(join(dist, `${entry}.js`))));
    return file;
  });
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  });
  const messages = ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  expect(messages).toEqual([]);
});
