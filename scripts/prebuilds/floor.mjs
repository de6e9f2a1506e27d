// Libraries to link against in the place of the system's: of each symbol they have the newest version that the oldest glibc has,
// and nothing of what it has not. They hold names only; what an addon calls it finds in the system it runs on.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareVersions, dynamicSymbols } from "./symbols.mjs";
import { FLOOR, compilerFile, compilerProgram, output } from "./toolchain.mjs";

const TYPES = { OBJECT: "object", FUNC: "function", IFUNC: "function" };
/** Libraries of their own in the old glibc, one with libc since 2.34: they are asked for by name. */
const ONCE_APART = { pthread: "libpthread.so.0", dl: "libdl.so.2" };
const KEPT_APART = /^(_{0,2}pthread_|sem_|mtx_|cnd_|thrd_|tss_|call_once$|dl)/;

/**
 * Names that the old glibc has in other libraries, librt and libutil for two, which an addon does not ask for: their newest
 * version is 2.34's, and they had one before.
 */
function elsewhereAtFloor(symbols) {
  const moved = symbols.filter(({ version }) => version === "GLIBC_2.34").map(({ name }) => name);
  return new Set(moved.filter((name) => !KEPT_APART.test(name)));
}

/** Of each name its newest version up to the floor: `{ name, version, type }`. */
export function symbolsAtFloor(symbols) {
  const chosen = new Map();
  const elsewhere = elsewhereAtFloor(symbols);
  for (const { name, version = "", type, isDefined } of symbols) {
    const number = /^GLIBC_([0-9.]+)$/.exec(version)?.[1];
    if (!isDefined || number === undefined || elsewhere.has(name) || TYPES[type] === undefined || compareVersions(number, FLOOR) > 0) continue;
    const known = chosen.get(name);
    if (known === undefined || compareVersions(known.number, number) < 0) chosen.set(name, { name, number, version, type });
  }
  return [...chosen.values()];
}

function makeStub({ compiler }, folder, soname, symbols) {
  const versions = [...new Set(symbols.map(({ version }) => version))];
  const map = versions.map((version) => {
    const names = symbols.filter((symbol) => symbol.version === version).map(({ name }) => `${name};`);
    return `${version} { global: ${names.join(" ")} };\n`;
  });
  const assembly = symbols.map(({ name, type }) => `.globl ${name}\n.type ${name},%${TYPES[type]}\n${name}: .quad 0\n.size ${name},8\n`);
  const mapFile = join(folder, `${soname}.map`);
  writeFileSync(mapFile, map.join(""));
  const script = symbols.length === 0 ? [] : [`-Wl,--version-script=${mapFile}`];
  output(compiler, ["-shared", "-nostdlib", `-Wl,-soname,${soname}`, ...script, "-x", "assembler", "-", "-o", join(folder, soname)], assembly.join(""));
}

/** What glibc got after the floor, as a static library. */
function makeAdditions(target, root, archive) {
  const object = `${archive}.o`;
  const options = ["-std=c++20", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"];
  output(target.compiler, [...options, "-c", join(root, "native/floor/floor.cpp"), "-o", object]);
  rmSync(archive, { force: true });
  output(compilerProgram(target, "ar"), ["rcsD", archive, object]);
}

/** Makes the libraries in a folder; answers the linker's options that take them. */
export function makeFloor(target, root, folder) {
  mkdirSync(folder, { recursive: true });
  const at = (name) => join(folder, name);
  for (const soname of ["libc.so.6", "libm.so.6", target.loader]) {
    makeStub(target, folder, soname, symbolsAtFloor(dynamicSymbols(compilerFile(target, soname))));
  }
  for (const [name, soname] of Object.entries(ONCE_APART)) {
    makeStub(target, folder, soname, []);
    writeFileSync(at(`lib${name}.so`), `INPUT(${at(soname)})\n`);
  }
  makeAdditions(target, root, at("libadditions.a"));
  const startup = compilerFile(target, "libc_nonshared.a");
  writeFileSync(at("libc.so"), `GROUP(${at("libc.so.6")} ${at("libadditions.a")} ${startup} AS_NEEDED(${at(target.loader)}))\n`);
  writeFileSync(at("libm.so"), `INPUT(AS_NEEDED(${at("libm.so.6")}))\n`);
  const named = Object.keys(ONCE_APART).map((name) => `-l${name}`);
  return [`-L${folder}`, "-Wl,--push-state,--no-as-needed", ...named, "-Wl,--pop-state"];
}
