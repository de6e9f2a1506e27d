// What the check of tarballs must find, one problem each, and a tarball that it must not touch.
import { requiredFiles } from "../tarballs/allowed-files.mjs";
import { contentProblems } from "../tarballs/contents.mjs";
import { licenceProblems } from "../tarballs/licences.mjs";

const LICENSE = "the licence\n";
const MANIFEST = {
  name: "vram-policy",
  version: "1.0.0",
  license: "Apache-2.0",
  engines: { node: ">=20.19" },
  sideEffects: false,
  main: "./dist/index.cjs",
  exports: { ".": { import: { types: "./dist/index.d.ts", default: "./dist/index.js" } } },
  repository: { directory: "packages/vram-policy" },
  publishConfig: { access: "public", provenance: true },
  dependencies: { zod: "4.6.7" },
};
const FILES = {
  LICENSE,
  "README.md": "# vram-policy\n",
  "dist/index.cjs": "module.exports = {};\n",
  "dist/index.d.ts": "export {};\n",
  "dist/index.js": 'const remedy = "write home/a or ../build/b";\n',
};
const without = (name) => Object.fromEntries(Object.entries(FILES).filter(([other]) => other !== name));

function problemsOf({ manifest = {}, files = FILES, type = "File", mode = 0o644 }) {
  const all = { ...files, "package.json": JSON.stringify({ ...MANIFEST, ...manifest }) };
  const entries = Object.entries(all).map(([path, text]) => {
    const isIndex = path === "dist/index.js";
    return { path, type: isIndex ? type : "File", mode: isIndex ? mode : 0o644, content: Buffer.from(text) };
  });
  return contentProblems({ entries }, { license: LICENSE, machinePaths: ["/srv/checkout"], targets: ["linux-x64"] });
}

const index = (text) => ({ files: { ...FILES, "dist/index.js": text } });
const added = (path, text = "") => ({ files: { ...FILES, [path]: text } });
const token = (head, length) => `${head}_${"a".repeat(length)}`;

/** A package with addons, with everything that it must have but `absent`. */
function withAddons(absent) {
  const required = requiredFiles("vram-seal", ["linux-x64"]).filter((path) => path !== "package.json" && path !== absent);
  const files = { ...FILES, ...Object.fromEntries(required.map((path) => [path, path === "LICENSE" ? LICENSE : ""])) };
  return { manifest: { name: "vram-seal", repository: { directory: "packages/vram-seal" } }, files };
}

const VIOLATIONS = {
  "no prebuilt addon": withAddons("prebuilds/linux-x64/vram_secret.node"),
  "no headers for a build from source": withAddons("native/include/napi.h"),
  "no README": { files: without("README.md") },
  "no LICENSE": { files: without("LICENSE") },
  "another LICENSE": added("LICENSE", "another licence\n"),
  "a test": added("dist/index.test.js"),
  "a source": added("src/index.ts"),
  "a source map": added("dist/index.js.map", '{"sources":["../../secret.ts"]}'),
  "a name of a source map": index("//# sourceMappingURL=../../index.js.map\n"),
  "a path of the build": index('const here = "/srv/checkout/packages";\n'),
  "a path of a user": index(["const here = '", "home", "somebody';\n"].join("/")),
  "a private key": index(`-----BEGIN ${"PRIVATE KEY"}-----\n${"A".repeat(64)}\n`),
  "a private key in a string": index(`"-----BEGIN ${"PRIVATE KEY"}-----\\n${"A".repeat(64)}"`),
  "a registry's token": index(`${token("npm", 36)}\n`),
  "a token of a configuration": index(`//registry.example/:_auth${"Token"}=abc\n`),
  "an access token": index(`${token("ghp", 36)}\n`),
  "a link": { type: "SymbolicLink" },
  "a file that anybody may write": { mode: 0o666 },
  "a workspace range": { manifest: { dependencies: { "vram-seal": "workspace:^" } } },
  "a catalog range": { manifest: { dependencies: { zod: "catalog:" } } },
  "a range of a folder": { manifest: { peerDependencies: { zod: "file:../zod" } } },
  "a range of a repository": { manifest: { dependencies: { zod: "colinhacks/zod" } } },
  "an install script": { manifest: { scripts: { postinstall: "node a.js" } } },
  "the simulator as a dependency": { manifest: { dependencies: { "vram-simulator": "1.0.0" } } },
  "another licence": { manifest: { license: "MIT" } },
  "no engines": { manifest: { engines: undefined } },
  "no side effects": { manifest: { sideEffects: undefined } },
  "no repository": { manifest: { repository: undefined } },
  "no provenance": { manifest: { publishConfig: { access: "public" } } },
  "another registry": { manifest: { publishConfig: { access: "public", provenance: true, registry: "https://registry.example/" } } },
  "an export of nothing": { manifest: { exports: "./dist/other.js" } },
};
/** Each is two problems: not on the list, and what it is. */
const TWICE = {
  "a build of npm's": added("binding.gyp"),
  "the simulator": added("dist/simulator/library.so"),
};

export function checkTarballFixtures() {
  const counted = (fixtures, count) =>
    Object.entries(fixtures)
      .map(([name, fixture]) => [name, problemsOf(fixture)])
      .filter(([, problems]) => problems.length !== count)
      .map(([name, problems]) => `${name}: found ${JSON.stringify(problems)}`);
  const licences = licenceProblems({ MIT: [{ name: "a", versions: ["1"] }], "AGPL-3.0": [{ name: "b", versions: ["1"] }], Unknown: [{ name: "c", versions: ["1"] }] });
  return [
    ...counted(VIOLATIONS, 1),
    ...counted(TWICE, 2),
    ...counted({ "a good tarball": {} }, 0),
    ...(licences.length === 2 ? [] : [`licences: found ${JSON.stringify(licences)}`]),
  ];
}
