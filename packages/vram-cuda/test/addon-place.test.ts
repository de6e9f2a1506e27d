import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

const PACKAGE = fileURLToPath(new URL("../", import.meta.url));
const BUILT = join(PACKAGE, "build/Release/vram_cuda.node");
const SHA256 = createHash("sha256").update(readFileSync(BUILT)).digest("hex");

/** The package as it is installed, with its addon where a tarball has it, and a file in the place of one that was built there. */
function installed(built?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "vram-cuda-"));
  onTestFinished(() => { rmSync(folder, { recursive: true }); });
  for (const part of ["package.json", "dist"]) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  cpSync(BUILT, join(folder, `prebuilds/${process.platform}-${process.arch}/vram_cuda.node`));
  if (built !== undefined) {
    mkdirSync(join(folder, "build/Release"), { recursive: true });
    writeFileSync(join(folder, "build/Release/vram_cuda.node"), built);
  }
  return folder;
}

const output = (program: string, folder: string, ...options: readonly string[]) =>
  execFileSync(process.execPath, [...options, "-e", program], { cwd: folder, encoding: "utf8" });

const REQUIRED = 'console.log(require("./dist/index.cjs").addonSha256())';

describe("the addon of an installed package", () => {
  it.each([
    ["import", 'console.log((await import("./dist/index.js")).addonSha256())', ["--input-type=module"]],
    ["require", REQUIRED, []],
    ["require in a worker thread", `new (require("node:worker_threads").Worker)(${JSON.stringify(REQUIRED)}, { eval: true })`, []],
  ])("is found where the package ships it, by %s", (_, program, options) => {
    expect(output(program, installed(), ...options)).toBe(`${SHA256}\n`);
  });

  it("has the digest of the file that was loaded", () => {
    expect(output(REQUIRED, installed("no addon"))).toBe(`${SHA256}\n`);
  });

  it("is missed by what uses it, not by what imports it", () => {
    const folder = installed();
    rmSync(join(folder, "prebuilds"), { recursive: true });
    const use = 'const { openDriver } = require("./dist/index.cjs"); try { openDriver(); } catch ({ code, details }) { console.log(code, details.reason); }';
    expect(output(use, folder)).toBe("DRIVER_UNAVAILABLE addon-absent\n");
  });
});
