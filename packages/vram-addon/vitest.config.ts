import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.mjs";

export default defineConfig(tests());
