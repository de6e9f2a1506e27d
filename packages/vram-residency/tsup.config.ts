import { defineConfig } from "tsup";
import { library } from "../../tsup.base.mjs";

export default defineConfig([
  library({ entry: ["src/index.ts", "src/metrics.ts", "src/tracing.ts"], splitting: true }),
  library({ entry: ["src/cli.ts"], format: ["esm"], dts: false, clean: false }),
]);
