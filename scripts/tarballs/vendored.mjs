// Code of others that lies in our binaries and tarballs, and that no package manager knows of.
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "../checks/tree.mjs";
import { ADDONS } from "../prebuilds/addons.mjs";
import { TARGETS } from "../prebuilds/toolchain.mjs";

const NATIVE = Object.keys(ADDONS);

function headersOf(name) {
  const { version, license } = createRequire(join(root, "packages/vram-cuda/package.json"))(`${name}/package.json`);
  return { name, version, license, purl: `pkg:npm/${name}@${version}`, users: NATIVE };
}

/** Linked statically, of the compilers' own version. */
function standardLibrary() {
  const versions = new Set(Object.values(TARGETS).map(({ version }) => /\d+\.\d+\.\d+/.exec(version)[0]));
  if (versions.size !== 1) throw new Error("the targets' compilers differ in their version");
  const [version] = versions;
  return { name: "libstdc++", version, license: "GPL-3.0-or-later WITH GCC-exception-3.1", purl: `pkg:generic/libstdc%2B%2B@${version}`, users: NATIVE };
}

/** Each as `{ name, version, license, purl, users }`; `users` are the packages that hold it. */
export const vendored = () => [headersOf("node-addon-api"), headersOf("node-api-headers"), standardLibrary()];
