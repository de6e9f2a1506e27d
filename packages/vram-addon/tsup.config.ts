import { defineConfig } from "tsup";
import { library } from "../../tsup.base.mjs";

export default defineConfig(library({}));
