// What the check of prebuilt addons must find in a library that asks too much of its system, and what it must not; and what is
// linked into them in the place of what their system lacks.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { symbolsAtFloor } from "../prebuilds/floor.mjs";
import { inspectLibrary } from "../prebuilds/symbols.mjs";
import { TARGETS, output, toolchainProblem } from "../prebuilds/toolchain.mjs";
import { root } from "./tree.mjs";

const VISIBLE = 'extern "C" __attribute__((visibility("default"))) void';
const ENTRY = `${VISIBLE} napi_register_module_v1()`;
/** What must be told, and the source and further libraries that it must be told of. */
const VIOLATIONS = [
  ["needs later: GLIBC_9.99 is newer than GLIBC_2.28", `extern "C" void later();\n${ENTRY} { later(); }`, ["libc.so.6"]],
  ["needs libstdc++.so.6", `${ENTRY} {}`, ["-lstdc++"]],
  ["needs nowhere: is defined nowhere", `extern "C" void nowhere();\n${ENTRY} { nowhere(); }`, []],
  ["looks into /nowhere", `${ENTRY} {}`, ["-Wl,-rpath,/nowhere"]],
  ["exports seen", `${VISIBLE} seen() {}\n${ENTRY} {}`, []],
];
const CLEAN = `#include <unistd.h>\nextern "C" void napi_throw(); void hidden() {}\n${ENTRY} { napi_throw(); getpid(); hidden(); }`;

/** Two versions of one name, one of a name that came too late, and two names from other libraries, of which one may be asked for. */
const SYMBOLS = [
  { name: "memcpy", version: "GLIBC_2.2.5", type: "FUNC", isDefined: true },
  { name: "memcpy", version: "GLIBC_2.14", type: "IFUNC", isDefined: true },
  { name: "memcpy", version: "GLIBC_2.36", type: "FUNC", isDefined: true },
  { name: "arc4random", version: "GLIBC_2.36", type: "FUNC", isDefined: true },
  ...["shm_open", "pthread_create"].flatMap((name) => ["GLIBC_2.2.5", "GLIBC_2.34"].map((version) => ({ name, version, type: "FUNC", isDefined: true }))),
];

/** In its place a program finds nothing. */
const NO_DLSYM = 'extern "C" void* dlsym(void*, const char*) noexcept { return nullptr; }';

/** What glibc got after the floor does what glibc's own does, and so where glibc has it itself. */
export function checkFloorAdditions() {
  const folder = mkdtempSync(join(tmpdir(), "vram-floor-"));
  const program = join(folder, "floor");
  const sources = ["native/floor/floor.cpp", "native/floor/test/main.cpp"].map((file) => join(root, file));
  try {
    return ["", NO_DLSYM].flatMap((more) => {
      const options = ["-std=c++20", "-O2", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"];
      output("c++", [...options, ...sources, "-x", "c++", "-", "-o", program, "-lpthread"], more);
      const { status, stdout } = spawnSync(program, { encoding: "utf8" });
      return status === 0 ? [] : [`ended with ${status}`, ...stdout.split("\n")];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Another version of a target's compiler is refused, and so is none, each with the remedy. */
export function checkPinnedCompilers() {
  const folder = mkdtempSync(join(tmpdir(), "vram-compilers-"));
  const path = process.env.PATH;
  try {
    writeFileSync(join(folder, TARGETS["linux-x64"].compiler), '#!/bin/sh\necho "g++-12 (Debian 12.9.0-1) 12.9.0"\n', { mode: 0o755 });
    process.env.PATH = folder;
    const expected = { "linux-x64": /is of Debian 12\.9\.0-1, and only .*apt-get install/, "linux-arm64": /^linux-arm64: no .*apt-get install/ };
    return Object.entries(expected).filter(([target, told]) => !told.test(toolchainProblem(target))).map(([target]) => `${target}: not refused`);
  } finally {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  }
}

const link = (folder, file, source, options) =>
  output("c++", ["-shared", "-fPIC", "-fvisibility=hidden", "-nodefaultlibs", "-x", "c++", "-", "-x", "none", "-o", join(folder, file), "-Wl,--no-as-needed", ...options], source);

/** A C library of the future, to link against. */
function makeFuture(folder) {
  const versions = join(folder, "future.map");
  writeFileSync(versions, "GLIBC_9.99 { global: later; };\n");
  link(folder, "libc.so.6", `${VISIBLE} later() {}`, ["-nostdlib", "-Wl,-soname,libc.so.6", `-Wl,--version-script=${versions}`]);
}

export function checkPrebuildFixtures() {
  const folder = mkdtempSync(join(tmpdir(), "vram-prebuilds-"));
  const problemsOf = (source, libraries) => {
    link(folder, "x.node", source, [...libraries.map((name) => (name.startsWith("-") ? name : join(folder, name))), "-lc"]);
    return inspectLibrary(join(folder, "x.node")).problems;
  };
  try {
    makeFuture(folder);
    const chosen = symbolsAtFloor(SYMBOLS).map(({ name, version }) => `${name}@${version}`);
    return [
      ...VIOLATIONS.filter(([problem, ...fixture]) => !problemsOf(...fixture).includes(`x.node ${problem}`)).map(([problem]) => `not found: ${problem}`),
      ...problemsOf(CLEAN, []).map((problem) => `wrongly found: ${problem}`),
      ...(chosen.join() === "memcpy@GLIBC_2.14,pthread_create@GLIBC_2.2.5" ? [] : [`the floor has ${chosen}`]),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
