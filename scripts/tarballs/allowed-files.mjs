// What each published package may hold, and must, as paths within its tarball. What no line here allows is not published.
import { ADDONS } from "../prebuilds/addons.mjs";

const EVERY = [/^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/, /^dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts)$/];

const SOURCE_BUILD = ["CMakeLists.txt", "native/include/napi.h", "native/include/node_api.h"];
const HEADER_LICENCES = ["node-addon-api", "node-api-headers"].map((name) => `native/include/${name}.LICENSE`);

const COMPILED = "(cpp|h|inc|ptx|txt|cmake|map)";

/** Prebuilt binaries, and what the build from source reads: these folders of `native/`, and headers with their licences. */
const native = (name, folders) => [
  new RegExp(`^prebuilds/linux-(x64|arm64)/(${ADDONS[name].join("|").replaceAll(".", String.raw`\.`)})$`),
  new RegExp(`^native/(cmake(/exports)?|${folders.join("|")})/\\w+\\.${COMPILED}$`),
  /^CMakeLists\.txt$/,
  /^native\/include\/(\w+|napi-inl)\.h$/,
  /^native\/include\/node-(addon-api|api-headers)\.LICENSE$/,
];

export const ALLOWED = {
  "vram-audit": EVERY,
  "vram-cuda": [
    ...EVERY,
    /^include\/vram_view\.h$/,
    /^native\/CMakeLists\.txt$/,
    ...native("vram-cuda", ["binding", "device", "driver", "hash", "kernel", "ops", "secret"]),
  ],
  "vram-policy": EVERY,
  "vram-residency": [...EVERY, /^dist\/assets\/[\w-]+\.(js|css|html)$/],
  "vram-seal": [...EVERY, ...native("vram-seal", ["hash", "kernel", "secret"])],
  "vram-simulator": [
    ...EVERY,
    ...native("vram-simulator", ["driver", "hash", "kernel", "simulator"]),
  ],
};

/** What a package's tarball must hold, with addons for `targets`. */
export function requiredFiles(name, targets) {
  const every = ["package.json", "README.md", "LICENSE"];
  if (!Object.hasOwn(ADDONS, name)) return every;
  const binaries = targets.flatMap((target) => ADDONS[name].map((file) => `prebuilds/${target}/${file}`));
  return [...every, ...SOURCE_BUILD, ...HEADER_LICENCES, ...binaries];
}
