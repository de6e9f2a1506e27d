import { cpSync } from "node:fs";
import { defineConfig } from "tsup";
import { library } from "../../tsup.base.mjs";

const copyAssets = async () => { cpSync("src/service/dashboard/assets", "dist/assets", { recursive: true }); };

const entry = ["src/index.ts", "src/metrics.ts", "src/tracing.ts"];

export default defineConfig([
  library({ entry, format: ["esm"], splitting: true }),
  // Split, CommonJS loses functions that have the name of a class's field.
  library({ entry, format: ["cjs"], clean: false }),
  // Split, so that what is imported when it is needed, prom-client for one, is loaded then.
  library({ entry: ["src/cli.ts"], format: ["esm"], dts: false, clean: false, splitting: true, onSuccess: copyAssets }),
]);
