import { defineConfig } from "tsup";
import { libraryWithAddon } from "../../tsup.base.mjs";

export default defineConfig(libraryWithAddon({ entry: ["src/index.ts", "src/control.ts", "src/tamper.ts"] }));
