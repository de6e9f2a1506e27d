import { simulatorStats } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { VramError } from "../../src/index.js";
import type { Lease } from "../../src/index.js";
import { itWithFaults, openWorkplace, patternBytes, refusal } from "../fixture.js";

const BYTES = 1024;
const WITHIN = [[1000, 24], [1024, 0], [0, 0], [0, 1024]] as const;
const OUTSIDE = [[1000, 25], [1024, 1], [0, 1025], [2 ** 53, 1], [2 ** 64 - 1, 1], [-1, 1], [Number.NaN, 1], [0.5, 1], [1, -1], [1, Number.NaN]] as const;

async function withLease<T>(look: (lease: Lease) => T): Promise<T> {
  const { residency } = await openWorkplace();
  return residency.execute(await residency.seal(patternBytes(BYTES)), look);
}

/** What a view of a range comes to: `undefined`, or the error. */
function viewing(lease: Lease, offset: unknown, byteLength: unknown): unknown {
  try {
    lease.view({ offset, byteLength } as never);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a view of 1024 bytes", () => {
  it.each(WITHIN)("BO-1 MS-007 test_bounds_checking may be of offset %d, length %d", async (offset, byteLength) => {
    expect(await withLease((lease) => viewing(lease, offset, byteLength))).toBeUndefined();
  });

  it.each(OUTSIDE)("BO-1 BO-3 IO-4 MS-006 MS-007 test_bounds_checking test_pointer_arithmetic_safe test_pointer_arithmetic test_offset_overflow_prevented may not be of offset %d, length %d: the caller's error, not tampering", async (offset, byteLength) => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    const error = await residency.execute(shard, (lease) => viewing(lease, offset, byteLength));
    expect(error).toMatchObject({ name: "VramError", code: "INVALID_INPUT", kind: "caller" });
    expect(residency.state).toBe("ready");
    await residency.verify(shard);
  });

  it("IO-4 test_offset_overflow_prevented has no BigInt and no text for an offset", async () => {
    for (const offset of [0n, 2n ** 64n, "0", null, undefined]) {
      expect(await withLease((lease) => viewing(lease, offset, 1))).toBeInstanceOf(VramError);
    }
  });
});

describe("a source", () => {
  function stream(byteLength: unknown, ...lengths: number[]) {
    async function* chunks() {
      for (const length of lengths) {
        await Promise.resolve();
        yield new Uint8Array(length);
      }
    }
    return Object.assign(chunks(), { byteLength }) as never;
  }

  it.each([
    ["more than it said", [1024, 1]],
    ["one chunk beyond it", [1025]],
    ["less than it said", [1023]],
    ["nothing", []],
  ])("BO-2 MS-002 test_safe_memcpy that gives %s is refused, and nothing stays", async (_, lengths) => {
    const { residency } = await openWorkplace();
    expect(await refusal(residency.seal(stream(BYTES, ...lengths)))).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    expect(residency.capacity().usedBytes).toBe(0);
    expect(residency.state).toBe("ready");
  });

  itWithFaults.each([Number.NaN, -1, 0, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, 2n ** 64n, 8n, "8", null])(
    "BO-4 IO-1 IO-3 MS-003 test_allocation_overflow_prevented test_safe_cuda_operations test_integer_overflow_prevented of %s bytes is refused before any driver call",
    async (byteLength) => {
      const { residency } = await openWorkplace();
      const before = simulatorStats().calls;
      expect(await refusal(residency.seal(stream(byteLength, 8)))).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
      expect(simulatorStats().calls).toEqual(before);
    },
  );

  itWithFaults("BO-4 IO-1 MS-003 test_allocation_overflow_prevented whose size wraps round when rounded up is refused", async () => {
    const { residency } = await openWorkplace({ limits: { maxModelBytes: Number.MAX_SAFE_INTEGER } });
    const { cuMemCreate } = simulatorStats().calls;
    const error = await refusal(residency.seal(stream(Number.MAX_SAFE_INTEGER, 8)));
    expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    expect(simulatorStats().calls).toMatchObject({ cuMemCreate });
  });
});
