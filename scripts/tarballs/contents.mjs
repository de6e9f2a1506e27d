// What may not lie in a tarball, and what must.
import { isDeepStrictEqual } from "node:util";
import { INSTALL_SCRIPTS } from "../checks/packages.mjs";
import { ALLOWED, requiredFiles } from "./allowed-files.mjs";
import { manifestOf } from "./read-tarball.mjs";

const SIMULATOR = "vram-simulator";
const LICENSE = "Apache-2.0";
/** A registry in here would win over that of whoever publishes. */
const PUBLISHED = { access: "public", provenance: true };
const UNPUBLISHABLE_RANGE = /^(workspace|catalog|file|link|portal|git|https?|github):|\//;
const SECRETS = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s|\\[nr])+[A-Za-z0-9+/=]{16}/],
  ["a registry's token", /_authToken\s*=\s*\S|\bnpm_[A-Za-z0-9]{36}\b/],
  ["an access token", /\b(gh[oprsu]_[A-Za-z0-9]{36}|github_pat_\w{22}|AKIA[0-9A-Z]{16}|xox[abpr]-[\w-]{10})/],
];
// Spelled in parts so that no file of the project holds one.
const MACHINE_PATH = new RegExp(["(?<![\\w.])/(?:home|root|work|tmp|builds?|", "Users|runner|__w)/[\\w.@-]+"].join(""));
const SOURCE_MAP = /[#@]\s*sourceMappingURL=/;

const isText = (path) => !/\.(node|so)$/.test(path);

function fileProblems(name, { path, type, mode, content }, machinePaths) {
  const text = content.toString("latin1");
  const named = machinePaths.some((folder) => text.includes(folder)) || MACHINE_PATH.test(text);
  return [
    ...(ALLOWED[name]?.some((pattern) => pattern.test(path)) ? [] : ["is not on the package's list"]),
    ...(type === "File" ? [] : [`is a ${type}`]),
    ...((mode & 0o777) === 0o644 || (mode & 0o777) === 0o755 ? [] : [`has the mode ${mode.toString(8)}`]),
    ...(isText(path) && SOURCE_MAP.test(text) ? ["names a source map"] : []),
    ...(named ? ["holds a path of the machine that built it"] : []),
    ...SECRETS.filter(([, pattern]) => pattern.test(text)).map(([what]) => `holds ${what}`),
    ...(name !== SIMULATOR && /simulator/i.test(path) ? ["is of the simulator"] : []),
  ].map((problem) => `${path} ${problem}`);
}

const targetsOf = (value) => (typeof value === "string" ? [value] : Object.values(value ?? {}).flatMap(targetsOf));

function manifestProblems(manifest, paths) {
  const { name, sideEffects, scripts = {}, dependencies = {}, optionalDependencies = {}, peerDependencies = {}, repository, publishConfig } = manifest;
  const asked = Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const targets = [...targetsOf(manifest.exports), ...targetsOf(manifest.bin), manifest.main, manifest.module, manifest.types];
  const missing = targets.filter((target) => target !== undefined && !paths.includes(target.replace(/^\.\//, "")));
  return [
    ...asked.filter(([, range]) => UNPUBLISHABLE_RANGE.test(range)).map(([other, range]) => `depends on ${other} as ${range}`),
    ...INSTALL_SCRIPTS.filter((script) => Object.hasOwn(scripts, script)).map((script) => `runs a script at ${script}`),
    ...(SIMULATOR in { ...dependencies, ...optionalDependencies } ? ["depends on the simulator"] : []),
    ...(manifest.license === LICENSE ? [] : [`has the license ${manifest.license}`]),
    ...(/^>=\d/.test(manifest.engines?.node ?? "") ? [] : ["does not say its Node versions"]),
    ...(sideEffects === undefined ? ["does not say its side effects"] : []),
    ...(repository?.directory === `packages/${name}` ? [] : ["does not say its folder in the repository"]),
    ...(isDeepStrictEqual(publishConfig, PUBLISHED) ? [] : ["is not published with provenance alone"]),
    ...missing.map((target) => `names ${target}, which is not there`),
  ].map((problem) => `package.json ${problem}`);
}

/**
 * What is wrong with a tarball that `readTarball` read. `license` is the text of the project's licence, `machinePaths` are folders
 * of this machine that no file may name, `targets` those that addons are there for.
 */
export function contentProblems(tarball, { license, machinePaths, targets }) {
  const paths = tarball.entries.map(({ path }) => path);
  if (!paths.includes("package.json")) return ["a tarball has no package.json"];
  const manifest = manifestOf(tarball);
  const absent = requiredFiles(manifest.name, targets).filter((path) => !paths.includes(path)).map((path) => `has no ${path}`);
  const shipped = tarball.entries.find(({ path }) => path === "LICENSE")?.content.toString("utf8") ?? license;
  return [
    ...absent,
    ...(shipped === license ? [] : ["LICENSE is not the project's"]),
    ...(paths.includes("binding.gyp") ? ["binding.gyp makes npm run a build"] : []),
    ...manifestProblems(manifest, paths),
    ...tarball.entries.flatMap((entry) => fileProblems(manifest.name, entry, machinePaths)),
  ].map((problem) => `${manifest.name}: ${problem}`);
}
