// Steps of the concurrent model of vram-residency: everything that a worker does, with damage and driver faults, at once.
// npm run soak [-- --steps N --seed S]. Ends with 1 where an operation hangs, memory leaks or damage is missed.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./checks/tree.mjs";

const text = { type: "string" };
const { values } = parseArgs({ options: { steps: { ...text, default: "10000" }, seed: { ...text, default: String(Date.now() % 2 ** 31) } } });
const [steps, seed] = [values.steps, values.seed].map(Number);
if (!Number.isSafeInteger(steps) || steps < 1 || !Number.isSafeInteger(seed)) {
  console.error("--steps must be an integer of at least 1, --seed an integer");
  process.exit(2);
}
const { status } = spawnSync(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/concurrent-model.test.ts"], {
  cwd: join(root, "packages/vram-residency"),
  env: { ...process.env, VRAM_SOAK_STEPS: String(steps), VRAM_SOAK_SEED: String(seed) },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
