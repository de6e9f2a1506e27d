import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AddonError } from "../src/addon-error.js";
import { loadAddon } from "../src/load-addon.js";
import type { Addon } from "../src/load-addon.js";
import { ADDON, compile, emptyPackage, place } from "./support/fixtures.js";

const BUILT = "build/Release/x.node";
const SHIPPED = `prebuilds/${process.platform}-${process.arch}/x.node`;
const E_MACHINE = 18;

function failureOf(addon: Addon): AddonError {
  try {
    loadAddon(addon);
  } catch (error) {
    if (error instanceof AddonError) return error;
    throw error;
  }
  throw new Error("the addon was loaded");
}

describe("the addon of a package", () => {
  it("is what was built here, before what was shipped", () => {
    const { folder, addon } = emptyPackage();
    for (const file of [BUILT, SHIPPED]) compile(ADDON, join(folder, file));
    expect(loadAddon(addon)).toEqual({ exports: {}, path: join(folder, BUILT) });
  });

  it("is what was shipped where nothing was built", () => {
    const { folder, addon } = emptyPackage();
    compile(ADDON, join(folder, SHIPPED));
    expect(loadAddon({ ...addon, hasGlibc: false }).path).toBe(join(folder, SHIPPED));
  });

  it("is not what was shipped where what was built does not load", () => {
    const { folder, addon } = emptyPackage();
    place(folder, BUILT, "no addon");
    compile(ADDON, join(folder, SHIPPED));
    const { failure, attempts } = failureOf({ ...addon, hasGlibc: false });
    expect({ failure, attempts }).toEqual({ failure: "refused", attempts: [{ file: BUILT, reason: "ERR_DLOPEN_FAILED" }] });
  });

  it.each([
    ["with glibc", undefined, "refused", "ERR_DLOPEN_FAILED"],
    ["without glibc, where it counts as absent", false, "absent", "made for glibc"],
  ])("was shipped and does not load on a system %s", (_, hasGlibc, expected, reason) => {
    const { folder, addon } = emptyPackage();
    place(folder, SHIPPED, "no addon");
    const { failure, attempts } = failureOf(hasGlibc === undefined ? addon : { ...addon, hasGlibc });
    expect({ failure, attempt: attempts[1] }).toEqual({ failure: expected, attempt: { file: SHIPPED, reason } });
  });

  it("is told as absent, with what was tried and the remedies", () => {
    const { addon } = emptyPackage();
    const { failure, attempts, message } = failureOf({ ...addon, platform: "linux", arch: "x64" });
    expect({ failure, attempts }).toEqual({
      failure: "absent",
      attempts: [
        { file: BUILT, reason: "absent" },
        { file: "prebuilds/linux-x64/x.node", reason: "absent" },
      ],
    });
    expect(message).toBe(
      "The native addon of vram-x could not be loaded. Tried: build/Release/x.node: absent; prebuilds/linux-x64/x.node: absent. " +
        "Build it with `npx --no vram-x-build` (in a checkout `npm run build`), which needs a C++20 compiler and CMake 3.20 or newer; " +
        "or use Linux on x64 or arm64 with glibc 2.28 or newer, for which the package ships it.",
    );
  });

  it.each([["darwin", "arm64"], ["win32", "x64"]])("is told as for Linux only on %s", (platform, arch) => {
    const { folder, addon } = emptyPackage();
    compile(ADDON, join(folder, `prebuilds/linux-${arch}/x.node`));
    const { failure, message } = failureOf({ ...addon, platform, arch });
    expect(failure).toBe("platform");
    expect(message).toContain(`It runs on Linux only, with x64 or arm64, and this is ${platform}-${arch}.`);
  });
});

describe("an addon that the system refuses", () => {
  function refused(make: (path: string, folder: string) => void) {
    const { folder, addon } = emptyPackage();
    make(join(folder, BUILT), folder);
    const error = failureOf(addon);
    expect(error.failure).toBe("refused");
    expect(error.message).not.toContain(folder);
    expect(error.message).toContain(`${BUILT}: ${error.attempts[0]?.reason ?? ""}`);
    return error.attempts[0]?.reason;
  }

  it("is told with the loader's code: a file that is no addon", () => {
    expect(refused((_, folder) => place(folder, BUILT, "no addon"))).toBe("ERR_DLOPEN_FAILED");
  });

  it("is told with the loader's code: another processor's", () => {
    const reason = refused((path, folder) => {
      compile(ADDON, path);
      const file = readFileSync(path);
      file.writeUInt16LE(process.arch === "x64" ? 183 : 62, E_MACHINE);
      place(folder, BUILT, file);
    });
    expect(reason).toBe("ERR_DLOPEN_FAILED");
  });

  it("is told with the library that is missing", () => {
    const reason = refused((path, folder) => {
      const library = join(folder, "libvram_nowhere.so.1");
      compile("void nothing() {}\n", library, "-Wl,-soname,libvram_nowhere.so.1");
      compile(ADDON, path, "-Wl,--no-as-needed", library);
    });
    expect(reason).toBe("this system has no libvram_nowhere.so.1");
  });

  it("is told with the version of glibc that is missing", () => {
    const reason = refused((path, folder) => {
      const library = join(folder, "stub/libc.so.6");
      const versions = place(folder, "versions.map", "GLIBC_9.99 { global: vram_future; };\n");
      compile('extern "C" void vram_future() {}\n', library, "-nostdlib", "-Wl,-soname,libc.so.6", `-Wl,--version-script=${versions}`);
      compile(`${ADDON}extern "C" void vram_future(); void use() { vram_future(); }\n`, path, library);
    });
    expect(reason).toBe("this system has no GLIBC_9.99");
  });
});
