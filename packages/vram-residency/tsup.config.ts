import { cpSync } from "node:fs";
import { defineConfig } from "tsup";
import { library } from "../../tsup.base.mjs";

// eslint-disable-next-line @typescript-eslint/require-await
const copyAssets = async () => { cpSync("src/service/dashboard/assets", "dist/assets", { recursive: true }); };

export default defineConfig([
  library({ entry: ["src/index.ts", "src/tracing.ts"], splitting: true }),
  library({ entry: ["src/cli.ts"], format: ["esm"], dts: false, clean: false, onSuccess: copyAssets }),
]);
