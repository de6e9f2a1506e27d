// Puts what a package's addons are compiled from into its `native` folder for as long as it is packed, so that they can be
// built from the tarball without a network. `node native-sources.mjs stage|unstage` does it for the package in the current folder.
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildInputs, isOf } from "../checks/build-inputs.mjs";
import { projectFiles, root } from "../checks/tree.mjs";

/** Installed packages whose headers an addon includes, and where in them those lie. */
const HEADERS = { "node-addon-api": ".", "node-api-headers": "include" };
const HEADER = /^(napi|napi-inl|js_native_api|js_native_api_types|node_api|node_api_types)\.h$/;
/** The tamper addon's, of another package. */
const VIEW_HEADER = "packages/vram-cuda/include/vram_view.h";

/** What the build of the package reads from outside of it: one list for both. */
function nativeSources(packageFolder) {
  const inputs = buildInputs(packageFolder);
  const files = projectFiles(/^(native|packages)\//).filter((file) => inputs.some((input) => isOf(file, input)) && !file.includes("/test/"));
  const unmatched = inputs.filter((input) => !files.some((file) => file.startsWith(input.replace("**", ""))));
  if (inputs.length === 0 || unmatched.length > 0) throw new Error(`no native source for: ${unmatched.join(" ") || packageFolder}`);
  return files;
}

function stageHeaders(packageFolder) {
  const include = join(packageFolder, "native/include");
  const { resolve } = createRequire(join(packageFolder, "package.json"));
  for (const [name, place] of Object.entries(HEADERS)) {
    const installed = dirname(resolve(`${name}/package.json`));
    const headers = readdirSync(join(installed, place)).filter((file) => HEADER.test(file));
    for (const file of headers) cpSync(join(installed, place, file), join(include, file));
    const [license] = readdirSync(installed).filter((file) => /^licen[cs]e/i.test(file));
    if (headers.length === 0 || license === undefined) throw new Error(`${name} has no headers or no licence`);
    cpSync(join(installed, license), join(include, `${name}.LICENSE`));
  }
}

/** Puts sources and headers into the package's `native` folder. */
export function stageNativeSources(packageFolder) {
  unstageNativeSources(packageFolder);
  mkdirSync(join(packageFolder, "native"));
  for (const file of nativeSources(packageFolder)) cpSync(join(root, file), join(packageFolder, file === VIEW_HEADER ? "native/include/vram_view.h" : file));
  stageHeaders(packageFolder);
}

export function unstageNativeSources(packageFolder) {
  rmSync(join(packageFolder, "native"), { recursive: true, force: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const act = { stage: stageNativeSources, unstage: unstageNativeSources }[process.argv[2]];
  if (act === undefined) throw new Error("usage: node native-sources.mjs stage|unstage");
  act(process.cwd());
}
