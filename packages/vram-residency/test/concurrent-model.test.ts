import fc from "fast-check";
import { expect } from "vitest";
import { Life } from "./concurrent-life.js";
import type { Step } from "./concurrent-life.js";
import { itWithFaults } from "./fixture.js";

const STEPS = Number(process.env["VRAM_SOAK_STEPS"] ?? 1000);
const SEED = Number(process.env["VRAM_SOAK_SEED"] ?? 20_261_127);
const AT_ONCE = 12;

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.oneof(
    { weight: 30, arbitrary: fc.constant("execute" as const) },
    { weight: 30, arbitrary: fc.constantFrom("verify", "range", "tensor") },
    { weight: 18, arbitrary: fc.constantFrom("seal", "close", "reseal") },
    { weight: 5, arbitrary: fc.constant("flip" as const) },
    { weight: 2, arbitrary: fc.constantFrom("spoil", "fail") },
  ),
  pick: fc.nat(1000),
  detail: fc.nat(1_000_000),
  abortsAfterMs: fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(4) }),
});

itWithFaults("no deadlock, no leak and no missed damage, whatever runs at once beside a scrub", { timeout: 600_000 }, async () => {
  process.stderr.write(`concurrent model: ${STEPS} steps, seed ${SEED}\n`);
  const plan = fc.sample(step, { numRuns: STEPS, seed: SEED });
  let lives = 0;
  let taken = 0;
  while (taken < plan.length) {
    lives += 1;
    const life = await Life.open({ allowRepair: lives % 4 !== 0, hasFaults: lives % 3 === 0 });
    const running = new Set<Promise<void>>();
    while (taken < plan.length && !life.hasEnded) {
      const next = plan[taken];
      taken += 1;
      if (next === undefined) continue;
      const taking = life.take(next).finally(() => running.delete(taking));
      running.add(taking);
      if (running.size >= AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
    await life.end();
  }
  expect(taken).toBe(STEPS);
  process.stderr.write(`concurrent model: ${lives} workers\n`);
});
