import { quickpickle } from "quickpickle";
import { defineConfig } from "vitest/config";
import { tests } from "../../vitest.base.mjs";

const behaviour = {
  include: ["test/behaviour/*.feature"],
  setupFiles: ["test/behaviour/operations.steps.ts", "test/behaviour/outcomes.steps.ts"],
};

export default defineConfig({
  test: {
    projects: [
      tests({ name: "code" }),
      { ...tests({ name: "behaviour", ...behaviour }), plugins: [quickpickle({ stepTimeout: 20_000 })] },
    ],
  },
});
