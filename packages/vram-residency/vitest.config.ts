import { quickpickle } from "quickpickle";
import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.mjs";

/** Left out where a source is mutated: these run the built package, or look at what is refused before there is a shard. */
const ofOthers = ["command", "dashboard", "attest-command", "audit-command", "hold", "engine", "source", "model/*", "attacks/{files,options}", "requirements/{input-validation,integer-overflow,memory-race,native-overflow}"];
const exclude = process.env["VRAM_TEST_MUTANTS"] === undefined ? [] : ofOthers.map((name) => `test/${name}.test.ts`);

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
