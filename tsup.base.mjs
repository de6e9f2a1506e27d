/** One build shape for every package: ESM, CommonJS and declarations for both. */
export const library = (options) => ({
  entry: ["src/index.ts"],
  format: ["esm", "cjs"],
  target: "node20",
  platform: "node",
  clean: true,
  sourcemap: false,
  splitting: false,
  shims: true,
  noExternal: ["vram-addon", "vram-text"],
  dts: { resolve: ["vram-addon", "vram-text"], compilerOptions: { ignoreDeprecations: "6.0" } },
  ...options,
});

/** A library with a native addon: beside it lies the program that builds the addon. */
export const libraryWithAddon = (options) => [library(options), library({ entry: ["src/build.ts"], format: ["esm"], dts: false, clean: false })];
