import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { itWithTool } from "./support/tool.js";

const PACKAGE = fileURLToPath(new URL("../", import.meta.url));
const STAGE = fileURLToPath(new URL("../../../scripts/tarballs/native-sources.mjs", import.meta.url));

/** The oldest that the command says it can use. */
const CLANG = "clang++-14";

/** The package as its tarball has it, without prebuilt addons. */
function packed(): string {
  const folder = mkdtempSync(join(tmpdir(), "vram-seal-"));
  onTestFinished(() => { rmSync(folder, { recursive: true }); });
  for (const part of ["package.json", "turbo.json", "CMakeLists.txt", "dist"]) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  symlinkSync(join(PACKAGE, "node_modules"), join(folder, "node_modules"));
  const staged = spawnSync(process.execPath, [STAGE, "stage"], { cwd: folder, encoding: "utf8" });
  if (staged.status !== 0) throw new Error(staged.stderr);
  rmSync(join(folder, "node_modules"));
  return folder;
}

it("vram-seal-build compiles the addon from what the package carries, also where the compiler warns, and it is used", () => {
  const folder = packed();
  appendFileSync(join(folder, "native/secret/traces.cpp"), "static void Unused() {}\n");
  const command = (args: readonly string[]) => spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  const place = ["-e", 'console.log(require("./dist/index.cjs").sealKeyMemory())'];
  expect(command(place).stdout).toBe("key-object\n");
  expect(command(["dist/build.js"])).toMatchObject({ status: 0, stdout: "the native addon of vram-seal is built\n" });
  expect(existsSync(join(folder, "build/Release/vram_secret.node"))).toBe(true);
  expect(command(place).stdout).not.toBe("key-object\n");
}, 120_000);

itWithTool(CLANG)(`the addon's sources compile with ${CLANG} without a warning`, () => {
  const folder = packed();
  const env = { ...process.env, CXX: CLANG, CXXFLAGS: "-Werror" };
  const { status, stderr } = spawnSync(process.execPath, ["dist/build.js"], { cwd: folder, env, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
}, 120_000);

it("vram-seal-build says what is missing", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(PACKAGE, "dist/build.js")], { encoding: "utf8", env: { PATH: "" } });
  expect([status, stderr]).toEqual([1, "the native addon of vram-seal was not built: CMake 3.20 or newer is needed, as `cmake` on PATH\n"]);
});
