import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCapacity } from "../src/index.js";
import type { Reservation } from "../src/index.js";

describe("capacity", () => {
  it("VP-004 RP-004 test_insufficient_vram refuses with needed and available bytes", () => {
    const capacity = createCapacity({ totalBytes: 100, reserveBytes: 10 });
    capacity.reserve(60);
    expect(() => capacity.reserve(31)).toThrow(
      expect.objectContaining({ code: "INSUFFICIENT_VRAM", details: { neededBytes: 31, availableBytes: 30 } }),
    );
    expect(capacity.snapshot()).toEqual({ totalBytes: 100, availableBytes: 30, usedBytes: 60, reservedBytes: 10 });
  });

  it("VP-004 takes what the device says is free into account", () => {
    const capacity = createCapacity({ totalBytes: 100, reserveBytes: 0 });
    expect(() => capacity.reserve(50, { freeBytes: 49 })).toThrow(
      expect.objectContaining({ code: "INSUFFICIENT_VRAM", details: { neededBytes: 50, availableBytes: 49 } }),
    );
    expect(capacity.reserve(50, { freeBytes: 50 }).byteLength).toBe(50);
  });

  it.each([Number.NaN, -1, 0, 1.5, 2 ** 53, Number.POSITIVE_INFINITY])(
    "IO-2 IO-3 MS-003 test_integer_overflow_prevented refuses %d bytes as a caller error",
    (byteLength) => {
      const capacity = createCapacity({ totalBytes: Number.MAX_SAFE_INTEGER, reserveBytes: 0 });
      expect(() => capacity.reserve(byteLength)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    },
  );

  it.each<unknown>([2n ** 64n, 1n, "1", null])("IO-2 test_integer_overflow_prevented refuses what is no number: %s", (given) => {
    const value = given as number;
    const capacity = createCapacity({ totalBytes: 10, reserveBytes: 0 });
    expect(() => capacity.reserve(value)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => capacity.reserve(1, { freeBytes: value })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => createCapacity({ totalBytes: value, reserveBytes: 0 })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => createCapacity({ totalBytes: 10, reserveBytes: value })).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(capacity.snapshot().usedBytes).toBe(0);
  });

  it("RP-002 IO-2 no sum overflows at the largest sizes", () => {
    const capacity = createCapacity({ totalBytes: Number.MAX_SAFE_INTEGER, reserveBytes: 0 });
    capacity.reserve(Number.MAX_SAFE_INTEGER);
    expect(() => capacity.reserve(1)).toThrow(expect.objectContaining({ code: "INSUFFICIENT_VRAM" }));
  });

  it("a release gives back once", () => {
    const capacity = createCapacity({ totalBytes: 10, reserveBytes: 0 });
    const first = capacity.reserve(6);
    capacity.reserve(4);
    first.release();
    first.release();
    expect(capacity.snapshot().usedBytes).toBe(4);
  });

  it("a reserve larger than the device leaves nothing to give", () => {
    const capacity = createCapacity({ totalBytes: 10, reserveBytes: 20 });
    expect(capacity.snapshot()).toMatchObject({ availableBytes: 0, reservedBytes: 10 });
  });

  it("RP-001 IO-2 test_capacity_enforcement vram_allocation_never_exceeds_capacity", () => {
    const size = fc.integer({ min: 1, max: 500 });
    const steps = fc.array(fc.oneof(fc.record({ take: size }), fc.record({ give: fc.nat(30) })), { maxLength: 60 });
    fc.assert(
      fc.property(size, fc.nat(500), steps, (totalBytes, reserveBytes, actions) => {
        const capacity = createCapacity({ totalBytes, reserveBytes });
        const held: Reservation[] = [];
        for (const action of actions) {
          if ("take" in action) {
            const fits = action.take <= capacity.snapshot().availableBytes;
            try {
              held.push(capacity.reserve(action.take));
              expect(fits).toBe(true);
            } catch (error) {
              expect(error).toMatchObject({ code: "INSUFFICIENT_VRAM" });
              expect(fits).toBe(false);
            }
          } else {
            held.splice(action.give % Math.max(1, held.length), 1).forEach((each) => { each.release(); });
          }
          const used = held.reduce((sum, { byteLength }) => sum + byteLength, 0);
          const { usedBytes, availableBytes, reservedBytes } = capacity.snapshot();
          expect(usedBytes).toBe(used);
          expect(usedBytes + availableBytes + reservedBytes).toBe(totalBytes);
          expect(availableBytes).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
