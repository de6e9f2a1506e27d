// What a shared object asks of the system it runs on, and whether the oldest one supported has that.
import { basename } from "node:path";
import { FLOOR, output } from "./toolchain.mjs";

// libgcc_s of the compilers that systems with such a glibc have.
const LIBGCC_FLOOR = "7.0.0";
const LIBRARIES = /^(lib(c|m)\.so\.6|libpthread\.so\.0|libdl\.so\.2|libgcc_s\.so\.1|ld-linux-(x86-64\.so\.2|aarch64\.so\.1)|libvram_simulator\.so)$/;
const NODE = /^(napi|node_api)_/;
const CONTROL = "_ZN4vram9simulator7control";
const ADDON_EXPORTS = /^(napi_register_module_v1|node_api_module_get_api_version_v1)$/;
const SIMULATOR_EXPORTS = new RegExp(`^(cu[A-Z]\\w+|vram_simulator_mark|${CONTROL}\\w+)$`);

/** The dynamic symbols: `{ name, version, isDefault, type, isWeak, isDefined }`. */
export function dynamicSymbols(file) {
  const lines = output("readelf", ["--dyn-syms", "-W", file]).split("\n").slice(4);
  return lines.flatMap((line) => {
    const [, , , type, bind, , index, symbol] = line.trim().split(/\s+/);
    if (symbol === undefined || bind === "LOCAL") return [];
    const [, name, at, version] = /^([^@]+)(?:(@@?)(.+))?$/.exec(symbol);
    return [{ name, version, isDefault: at === "@@", type, isWeak: bind === "WEAK", isDefined: index !== "UND" }];
  });
}

/** The sonames that the loader must find, and where it looks for them before the system's folders. */
function dynamicEntries(file) {
  const text = output("readelf", ["-d", "-W", file]);
  const valuesOf = (kind) => [...text.matchAll(new RegExp(`\\((?:${kind})\\).*\\[(.*)\\]`, "g"))].map(([, value]) => value);
  return { libraries: valuesOf("NEEDED"), folders: valuesOf("RPATH|RUNPATH") };
}

/** Compares versions, numbers with dots between: negative where `a` is older. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  const at = left.findIndex((part, index) => part !== (right[index] ?? 0));
  return at === -1 ? left.length - right.length : left[at] - (right[at] ?? 0);
}

function versionProblem(version) {
  const [, family, number] = /^([A-Z]+)_([0-9.]+)$/.exec(version) ?? [];
  if (family === "GLIBC") return compareVersions(number, FLOOR) <= 0 ? undefined : `newer than GLIBC_${FLOOR}`;
  if (family === "GCC") return compareVersions(number, LIBGCC_FLOOR) <= 0 ? undefined : `newer than GCC_${LIBGCC_FLOOR}`;
  return "of no library that may be asked for";
}

function importProblem({ name, version, isWeak }) {
  if (version === undefined) return isWeak || NODE.test(name) || name.startsWith(CONTROL) ? undefined : "is defined nowhere";
  const problem = versionProblem(version);
  return problem === undefined ? undefined : `${version} is ${problem}`;
}

/**
 * What a shared object needs, and what is wrong with that: a library or a symbol version that the oldest system does not have,
 * a symbol nobody has, a folder of the machine that built it, or a symbol that should not be seen from outside.
 */
export function inspectLibrary(file) {
  const symbols = dynamicSymbols(file);
  if (symbols.length === 0) throw new Error(`${basename(file)} has no dynamic symbols`);
  const { libraries, folders } = dynamicEntries(file);
  const versions = [...new Set(symbols.filter(({ isDefined }) => !isDefined).flatMap(({ version }) => version ?? []))];
  const exported = file.endsWith(".node") ? ADDON_EXPORTS : SIMULATOR_EXPORTS;
  const problems = [
    ...libraries.filter((name) => !LIBRARIES.test(name)).map((name) => `needs ${name}`),
    ...folders.filter((folder) => folder !== "$ORIGIN").map((folder) => `looks into ${folder}`),
    ...symbols.filter(({ isDefined }) => !isDefined).flatMap((symbol) => {
      const problem = importProblem(symbol);
      return problem === undefined ? [] : [`needs ${symbol.name}: ${problem}`];
    }),
    ...symbols.filter(({ name, isDefined }) => isDefined && !exported.test(name)).map(({ name }) => `exports ${name}`),
  ];
  return { libraries, newest: newestGlibc(versions), problems: problems.map((problem) => `${basename(file)} ${problem}`) };
}

const newestGlibc = (versions) =>
  versions
    .filter((version) => /^GLIBC_[0-9.]+$/.test(version))
    .sort((a, b) => compareVersions(a.slice(6), b.slice(6)))
    .at(-1);
