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
  noExternal: ["vram-text"],
  dts: { resolve: ["vram-text"], compilerOptions: { ignoreDeprecations: "6.0" } },
  ...options,
});
