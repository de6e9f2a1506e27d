import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";

/** The source of an addon whose exports are what Node.js made for them. */
export const ADDON = 'extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void* exports) { return exports; }\n';

/** A folder that goes when the test does. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "vram-addon-"));
  onTestFinished(() => { rmSync(folder, { recursive: true }); });
  return folder;
}

/** An empty package: its folder, and the place of its addon `x.node`. */
export function emptyPackage() {
  const folder = temporaryFolder();
  const addon = { packageName: "vram-x", packageFolder: pathToFileURL(`${folder}/`), fileName: "x.node" };
  return { folder, addon };
}

export function place(folder: string, file: string, content: string | Buffer): string {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

export function compile(source: string, output: string, ...options: readonly string[]): void {
  mkdirSync(dirname(output), { recursive: true });
  const { status, stderr } = spawnSync("c++", ["-shared", "-fPIC", "-x", "c++", "-", "-x", "none", "-o", output, ...options], { input: source, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
