import { cpSync } from "node:fs";
import { defineConfig } from "tsup";
import { library } from "../../tsup.base.mjs";

const copyAssets = async () => { cpSync("src/service/dashboard/assets", "dist/assets", { recursive: true }); };

export default defineConfig([
  library({ entry: ["src/index.ts", "src/metrics.ts", "src/tracing.ts"], splitting: true }),
  // Split, so that what is imported when it is needed, prom-client for one, is loaded then.
  library({ entry: ["src/cli.ts"], format: ["esm"], dts: false, clean: false, splitting: true, onSuccess: copyAssets }),
]);
