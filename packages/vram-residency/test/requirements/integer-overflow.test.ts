import fc from "fast-check";
import { expect, it } from "vitest";
import { eventTypes, itWithFaults, openWorkplace, patternBytes, refusal } from "../fixture.js";
import type { Workplace } from "../fixture.js";

const MIB = 2 ** 20;
const SMALL = { devices: [{ memoryBytes: 64 * MIB }] };

function usedBytes({ residency }: Workplace): number {
  const { usedBytes, availableBytes, reservedBytes, totalBytes } = residency.capacity();
  expect(usedBytes + availableBytes + reservedBytes).toBe(totalBytes);
  expect(availableBytes).toBeGreaterThanOrEqual(0);
  return usedBytes;
}

it("VP-004 RP-004 WORKER-4153 test_insufficient_vram a model beyond the free memory is refused with both numbers", async () => {
  const place = await openWorkplace({ limits: { maxModelBytes: 2 ** 45 } });
  const { availableBytes } = place.residency.capacity();
  async function* endless() {
    for (;;) {
      await Promise.resolve();
      yield new Uint8Array(MIB);
    }
  }
  const error = await refusal(place.residency.seal(Object.assign(endless(), { byteLength: availableBytes + 1 })));
  expect(error).toMatchObject({ code: "INSUFFICIENT_VRAM", kind: "retriable" });
  const numbers = error.details as { neededBytes: number; availableBytes: number };
  expect(numbers.neededBytes).toBeGreaterThan(availableBytes);
  expect(numbers.availableBytes).toBeLessThanOrEqual(availableBytes);
  expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.allocation.failed"]);
  expect(place.residency.state).toBe("ready");
  expect(usedBytes(place)).toBe(0);
});

itWithFaults("RP-001 RP-002 IO-2 test_capacity_enforcement many seals at once never take more than there is, and those that do not fit say so", async () => {
  const place = await openWorkplace({}, SMALL);
  const { residency } = place;
  const before = residency.capacity();
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => residency.seal(Buffer.alloc(8 * MIB, 1))));
  const shards = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const refusals = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  expect(shards.length).toBeGreaterThan(0);
  expect(refusals.length).toBeGreaterThan(0);
  for (const error of refusals) expect(error).toMatchObject({ code: "INSUFFICIENT_VRAM", kind: "retriable" });
  expect(usedBytes(place)).toBe(shards.length * 8 * MIB);
  expect((await eventTypes(place)).filter((type) => type === "vram.allocation.failed")).toHaveLength(refusals.length);
  await Promise.all(shards.map((shard) => shard.close()));
  expect(residency.capacity()).toEqual(before);
});

itWithFaults("RP-001 IO-2 test_capacity_enforcement vram_allocation_never_exceeds_capacity", async () => {
  const place = await openWorkplace({}, SMALL);
  const { residency } = place;
  const sizes = fc.array(fc.integer({ min: 1, max: 40 * MIB }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(sizes, async (list) => {
      const { availableBytes } = residency.capacity();
      const results = await Promise.allSettled(list.map((byteLength) => residency.seal(Buffer.alloc(byteLength))));
      const shards = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      const taken = usedBytes(place);
      expect(taken).toBeLessThanOrEqual(availableBytes);
      expect(taken).toBeGreaterThanOrEqual(shards.reduce((sum, { vramBytes }) => sum + vramBytes, 0));
      await Promise.all(shards.map((shard) => shard.close()));
      expect(usedBytes(place)).toBe(0);
    }),
    { numRuns: 15 },
  );
});

it("IO-3 IV-001 RP-003 test_max_size_enforced test_configurable_limits a model over the configured limit is refused, one of the limit's size is not", async () => {
  const { residency } = await openWorkplace({ limits: { maxModelBytes: 4096 } });
  const error = await refusal(residency.seal(patternBytes(4097)));
  expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller", details: { maxModelBytes: 4096 } });
  await residency.seal(patternBytes(4096));
});

it("RP-003 test_configurable_limits a reserve is never given to shards", async () => {
  const { residency } = await openWorkplace();
  const plain = residency.capacity();
  await residency.close();
  const second = await openWorkplace({ limits: { reserveBytes: 4 * MIB } });
  const { availableBytes, reservedBytes } = second.residency.capacity();
  expect(reservedBytes).toBe(plain.reservedBytes + 4 * MIB);
  expect(availableBytes).toBe(plain.availableBytes - 4 * MIB);
});

it.each([Number.NaN, -1, 1.5, 2 ** 53, 2n ** 64n, 1n, "1", null])("IO-1 IO-3 RP-003 test_integer_overflow_prevented no limit may be %s", async (limit) => {
  for (const name of ["maxModelBytes", "reserveBytes", "viewTimeoutMs"]) {
    const error = await refusal(openWorkplace({ limits: { [name]: limit } }));
    expect(error).toMatchObject({ code: "INVALID_CONFIG", kind: "caller", details: { argument: `options.limits.${name}` } });
  }
});
