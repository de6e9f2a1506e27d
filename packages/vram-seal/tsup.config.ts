import { defineConfig } from "tsup";
import { libraryWithAddon } from "../../tsup.base.mjs";

export default defineConfig(libraryWithAddon({}));
