import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { buildAddon } from "../src/build-addon.js";
import { loadAddon } from "../src/load-addon.js";
import { ADDON, emptyPackage, place } from "./support/fixtures.js";

const CMAKE_LISTS = `cmake_minimum_required(VERSION 3.20)
project(x CXX)
add_library(x MODULE \${VRAM_NATIVE}/x.cpp)
set_target_properties(x PROPERTIES PREFIX "" SUFFIX ".node" CXX_STANDARD 20 LIBRARY_OUTPUT_DIRECTORY \${CMAKE_BINARY_DIR}/Release)
target_include_directories(x PRIVATE \${VRAM_NODE_API})
`;

/** A package that carries its sources, and a header among them. */
function packageWithSources(source = `#include <carried.h>\n${ADDON}`) {
  const { folder, addon } = emptyPackage();
  place(folder, "CMakeLists.txt", CMAKE_LISTS);
  place(folder, "native/include/carried.h", "");
  place(folder, "native/x.cpp", source);
  return { folder, addon };
}

/** Makes PATH a folder with these programs only: links to the system's, or shell scripts. */
function usePath(programs: Record<string, string | undefined>): void {
  const { folder } = emptyPackage();
  for (const [name, script] of Object.entries(programs)) {
    const path = join(folder, name);
    if (script === undefined) symlinkSync(spawnSync("which", [name], { encoding: "utf8" }).stdout.trim(), path);
    else chmodSync(place(folder, name, `#!/bin/sh\n${script}\n`), 0o755);
  }
  vi.stubEnv("PATH", folder);
  vi.stubEnv("CXX", undefined);
}

afterEach(() => { vi.unstubAllEnvs(); });

describe("building an addon", () => {
  it("takes the sources and headers that the package carries, and what it makes is loaded", () => {
    const { folder, addon } = packageWithSources();
    buildAddon(addon);
    expect(loadAddon(addon).path).toBe(join(folder, "build/Release/x.node"));
  });

  it("does not take the sources of the project that it is installed in", () => {
    const { folder } = packageWithSources();
    const installed = join(folder, "node_modules/vram-x");
    place(folder, "native/cmake/addon.cmake", "");
    place(installed, "CMakeLists.txt", CMAKE_LISTS);
    place(installed, "native/include/carried.h", "");
    place(installed, "native/x.cpp", ADDON);
    buildAddon({ packageFolder: pathToFileURL(`${installed}/`) });
    expect(readFileSync(join(installed, "build/CMakeCache.txt"), "utf8")).toContain(`=${join(installed, "native")}\n`);
  });

  it("gives the programs it runs the environment it is given", () => {
    const { addon } = packageWithSources();
    expect(() => { buildAddon({ ...addon, env: { ...process.env, CXX: "nonexistent-c++" } }); }).toThrow("a C++20 compiler is needed");
    expect(() => { buildAddon({ ...addon, env: { ...process.env, CXXFLAGS: "-include nonexistent.h" } }); }).toThrow("nonexistent.h");
  });

  it("shows what the compiler says, and leaves no addon", () => {
    const { folder, addon } = packageWithSources("#error no such thing\n");
    expect(() => { buildAddon(addon); }).toThrow("no such thing");
    expect(existsSync(join(folder, "build/Release/x.node"))).toBe(false);
  });

  it.each([
    ["CMake is absent", {}, "CMake 3.20 or newer is needed"],
    ["CMake is too old", { cmake: "echo cmake version 3.19.9" }, "CMake 3.20 or newer is needed"],
    ["make and ninja are absent", { cmake: undefined }, "`ninja` or `make` is needed"],
    ["there is no compiler", { cmake: undefined, make: undefined }, "a C++20 compiler is needed"],
    ["the compiler knows no C++20", { cmake: undefined, make: undefined, "c++": "exit 1" }, "a C++20 compiler is needed"],
  ])("says what is missing: %s", (_, programs, message) => {
    usePath(programs);
    expect(() => { buildAddon(packageWithSources().addon); }).toThrow(message);
  });
});
