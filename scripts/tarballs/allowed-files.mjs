// What each published package may hold, as paths within its tarball. What no line here allows is not published.

const EVERY = [/^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/, /^dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts)$/];

const COMPILED = "(cpp|h|inc|ptx|txt|cmake|map)";

/** Prebuilt binaries, and what the build from source reads: these folders of `native/`, and headers with their licences. */
const native = (binaries, folders) => [
  new RegExp(`^prebuilds/linux-(x64|arm64)/(${binaries.join("|")})$`),
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
    ...native(["vram_cuda\\.node"], ["binding", "device", "driver", "hash", "kernel", "ops", "secret"]),
  ],
  "vram-policy": EVERY,
  "vram-residency": [...EVERY, /^dist\/assets\/[\w-]+\.(js|css|html)$/],
  "vram-seal": [...EVERY, ...native(["vram_secret\\.node"], ["hash", "kernel", "secret"])],
  "vram-simulator": [
    ...EVERY,
    ...native(["libvram_simulator\\.so", "vram_simulator_control\\.node", "vram_tamper\\.node"], ["driver", "hash", "kernel", "simulator"]),
  ],
};
