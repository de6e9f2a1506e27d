import { quickpickle } from "quickpickle";
import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.mjs";

/** What only runs the built package in processes of its own. */
const ofTheBuilt = ["test/command.test.ts", "test/hold.test.ts"];
const exclude = process.env["VRAM_TEST_SOURCES_ONLY"] === undefined ? [] : ofTheBuilt;

const scenarios = tests({
  name: "behaviour",
  include: ["test/behaviour/*.feature"],
  setupFiles: ["test/behaviour/operations.steps.ts", "test/behaviour/outcomes.steps.ts"],
});

export default defineConfig({
  test: {
    projects: [
      tests({ name: "code", exclude }),
      { ...scenarios, plugins: [...scenarios.plugins, quickpickle({ stepTimeout: 20_000 })] },
    ],
  },
});
