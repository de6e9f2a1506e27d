import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const vitest = join(root, "../../node_modules/vitest/vitest.mjs");
const folder = join(root, "test/behaviour/unfinished");

/** Runs the given scenarios, which nobody else runs; answers how the runner ended and what it said. */
function run(name: string, steps: string): { readonly status: number | null; readonly output: string } {
  writeFileSync(join(folder, `${name}.feature`), steps);
  const config = join(folder, `${name}.config.mjs`);
  writeFileSync(
    config,
    `import { quickpickle } from "quickpickle";
     export default {
       root: ${JSON.stringify(root)},
       plugins: [quickpickle()],
       test: { include: ["test/behaviour/unfinished/${name}.feature"], setupFiles: ["test/behaviour/operations.steps.ts"] },
     };`,
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, "run", "--config", config], { cwd: root, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

describe("a feature", () => {
  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("fails where a step is not defined", () => {
    const { status, output } = run("undefined", "Feature: f\n  Scenario: s\n    Given a worker\n    When nobody defined this step\n");
    expect(output).toMatch(/Undefined/);
    expect(status).toBe(1);
  });

  it("passes where its steps are defined", () => {
    expect(run("defined", "Feature: f\n  Scenario: s\n    Given a device without unified memory\n").status).toBe(0);
  });
});
