import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

const PACKAGE = fileURLToPath(new URL("../", import.meta.url));
const BUILT = join(PACKAGE, "build/Release/vram_cuda.node");
const SHA256 = createHash("sha256").update(readFileSync(BUILT)).digest("hex");

const SHIPPED = `prebuilds/${process.platform}-${process.arch}/vram_cuda.node`;

/** The package as it is installed, with its addon where a tarball has it. */
function installed(): string {
  const folder = mkdtempSync(join(tmpdir(), "vram-cuda-"));
  onTestFinished(() => { rmSync(folder, { recursive: true }); });
  for (const part of ["package.json", "dist"]) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  cpSync(BUILT, join(folder, SHIPPED));
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
    const folder = installed();
    cpSync(BUILT, join(folder, "build/Release/vram_cuda.node"));
    writeFileSync(join(folder, SHIPPED), "no addon");
    expect(output(REQUIRED, folder)).toBe(`${SHA256}\n`);
  });

  it("is missed by what uses it, not by what imports it", () => {
    const folder = installed();
    rmSync(join(folder, "prebuilds"), { recursive: true });
    const use = 'const { openDriver } = require("./dist/index.cjs"); try { openDriver(); } catch ({ code, details }) { console.log(code, details.reason); }';
    expect(output(use, folder)).toBe("DRIVER_UNAVAILABLE addon-absent\n");
  });
});
