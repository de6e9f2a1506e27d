import { describe, expect, it } from "vitest";
import { errorOf } from "../../test/support/fixtures.js";
import { sealVectors } from "../../test/support/vectors.js";
import { assertSealAge } from "./assert-seal-age.js";

describe("SF-3 test_seal_replay_rejected by age", () => {
  it.each(sealVectors.age.filter(({ outcome }) => outcome === null))("accepts a seal $name", ({ sealedAt, maxAgeMs, nowMs }) => {
    expect(() => {
      assertSealAge({ sealedAt }, { maxAgeMs, nowMs });
    }).not.toThrow();
  });

  it.each(sealVectors.age.filter(({ outcome }) => outcome !== null))("refuses a seal $name", async ({ sealedAt, maxAgeMs, nowMs, outcome }) => {
    const { code, details } = await errorOf(() => {
      assertSealAge({ sealedAt }, { maxAgeMs, nowMs });
    });
    expect({ code, reason: details["reason"] }).toEqual(outcome);
  });

  it.each([
    ["maxAgeMs", { maxAgeMs: -1, nowMs: 0 }],
    ["maxAgeMs", { maxAgeMs: Number.NaN, nowMs: 0 }],
    ["maxAgeMs", { maxAgeMs: Number.POSITIVE_INFINITY, nowMs: 0 }],
    ["nowMs", { maxAgeMs: 0, nowMs: Number.NaN }],
  ] as const)("never lets a bad %s pass", async (argument, options) => {
    const error = await errorOf(() => {
      assertSealAge({ sealedAt: "2001-02-03T04:05:06.789Z" }, options);
    });
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument } });
  });

  it("never lets a time that is none pass", async () => {
    const error = await errorOf(() => {
      assertSealAge({ sealedAt: "yesterday" }, { maxAgeMs: 1, nowMs: 0 });
    });
    expect(error.code).toBe("INVALID_INPUT");
  });
});
