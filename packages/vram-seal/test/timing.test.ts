import crypto, { randomInt } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { expect, it, vi } from "vitest";
import { createSeal, verifySeal } from "../src/index.js";
import { equalMacs, MAC_BYTES } from "../src/seal/seal-mac.js";
import { INSTANCE, statementFor, vectorKey, withMac } from "./support/fixtures.js";

type Compare = (expected: Uint8Array, received: Uint8Array) => boolean;

/** What a comparison must not be. */
const earlyExit: Compare = (expected, received) => {
  for (let index = 0; index < expected.length; index += 1) if (expected[index] !== received[index]) return false;
  return true;
};

const SAMPLES = 4_000;
const COMPARISONS = 400;

/**
 * Welch's t of the times for MACs that are wrong in their first byte and in their last. Both kinds come in random order and
 * are copied into one buffer; the slowest tenth of each, where something else ran, is left out.
 */
function timingDifference(compare: Compare): number {
  const expected = Buffer.alloc(MAC_BYTES, 0x5a);
  const kinds = [0, MAC_BYTES - 1].map((at) => {
    const wrong = Buffer.from(expected);
    wrong.writeUInt8(0xa5, at);
    return { wrong, times: [] as number[] };
  });
  const received = Buffer.alloc(MAC_BYTES);
  let equal = 0;
  for (let sample = -SAMPLES / 4; sample < SAMPLES; sample += 1) {
    const kind = kinds[randomInt(2)];
    if (kind === undefined) continue;
    kind.wrong.copy(received);
    const start = process.hrtime.bigint();
    for (let count = 0; count < COMPARISONS; count += 1) if (compare(expected, received)) equal += 1;
    const nanoseconds = Number(process.hrtime.bigint() - start);
    if (sample >= 0) kind.times.push(nanoseconds);
  }
  expect(equal).toBe(0);
  const [first, last] = kinds.map(({ times }) => momentsOf(times.sort((a, b) => a - b).slice(0, Math.floor(times.length * 0.9))));
  if (first === undefined || last === undefined) throw new Error("two kinds were measured");
  return (last.mean - first.mean) / Math.sqrt(first.variance / first.count + last.variance / last.count);
}

function momentsOf(times: readonly number[]): { readonly count: number; readonly mean: number; readonly variance: number } {
  const count = times.length;
  const mean = times.reduce((sum, time) => sum + time, 0) / count;
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}

it("SF-5 CI-003 test_timing_safe_verification the time of a comparison does not tell where MACs differ, against one that does", () => {
  const control = Math.abs(timingDifference(earlyExit));
  const ours = Math.abs(timingDifference(equalMacs));
  expect(control).toBeGreaterThan(100);
  expect(ours).toBeLessThan(control / 20);
});

it("SF-5 CI-003 test_timing_safe_verification a seal is accepted by that comparison and no other, where the key is no native one", async () => {
  const key = vectorKey();
  const forged = withMac(await createSeal(statementFor(key), key), Buffer.alloc(MAC_BYTES));
  const spy = vi.spyOn(crypto, "timingSafeEqual").mockReturnValue(true);
  syncBuiltinESMExports();
  try {
    expect(await verifySeal(forged, { key, instanceId: INSTANCE })).toMatchObject({ shardId: "shard-0" });
    expect(spy).toHaveBeenCalledTimes(1);
  } finally {
    spy.mockRestore();
    syncBuiltinESMExports();
  }
});
