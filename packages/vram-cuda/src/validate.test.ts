import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertFileDescriptor, assertRange, roundUp } from "./validate.js";

function refuses(offset: unknown, length: unknown, byteLength = 1024): boolean {
  try {
    assertRange("range", { offset: offset as number, length: length as number }, byteLength);
    return false;
  } catch (error) {
    expect(error).toHaveProperty("code", "INVALID_INPUT");
    return true;
  }
}

describe("ranges", () => {
  it.each([[1000, 24], [1024, 0], [0, 0], [0, 1024]])("BO-1 test_bounds_checking (%d, %d) lies within 1024", (offset, length) => {
    expect(refuses(offset, length)).toBe(false);
  });

  it.each([[1000, 25], [1024, 1], [0, 1025], [2 ** 53, 1], [2n ** 64n - 1n, 1], [-1, 1], [NaN, 1], [0.5, 1], [0, -1], [0, 1.5], [0, 2 ** 53]])(
    "BO-1 BO-3 IO-4 test_bounds_checking test_pointer_arithmetic_safe test_offset_overflow_prevented (%s, %s) is a caller error",
    (offset, length) => {
      expect(refuses(offset, length)).toBe(true);
    },
  );

  it("MS-007 a range is accepted exactly when its end, in unbounded arithmetic, is within", () => {
    const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(size, size, size, (offset, length, byteLength) => {
        expect(refuses(offset, length, byteLength)).toBe(BigInt(offset) + BigInt(length) > BigInt(byteLength));
      }),
    );
  });
});

describe("rounding", () => {
  it("IO-1 MS-003 test_integer_overflow_prevented gives the least multiple that covers, or refuses", () => {
    const unit = 2 * 1024 * 1024;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (byteLength) => {
        const rounded = roundUp(byteLength, unit);
        expect(rounded % unit).toBe(0);
        expect(rounded - byteLength).toBeLessThan(unit);
        expect(rounded).toBeGreaterThanOrEqual(byteLength);
      }),
    );
    expect(() => roundUp(Number.MAX_SAFE_INTEGER, unit)).toThrow(/byteLength/);
  });
});

describe("file descriptors", () => {
  it.each([-1, 0.5, NaN, 2 ** 31, 2 ** 53, 3n, "0", null, undefined])("%s is none", (fd) => {
    expect(() => {
      assertFileDescriptor(fd);
    }).toThrow(/^fd /);
  });
});
