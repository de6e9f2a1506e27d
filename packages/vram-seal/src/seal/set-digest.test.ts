import { describe, expect, it } from "vitest";
import { errorOf } from "../../test/support/fixtures.js";
import { setVectors } from "../../test/support/vectors.js";
import { setDigest } from "./set-digest.js";

const [DIGEST = ""] = setVectors[0]?.digests ?? [];

describe("setDigest", () => {
  it.each(setVectors)("of $name is the vector's", ({ digests, text, setDigest: expected }) => {
    expect(JSON.stringify({ digests, type: "vram-set/v1" })).toBe(text);
    expect(setDigest(digests)).toBe(expected);
  });

  it("is another for another order, a member less and a member more", () => {
    const digests = ["0", "1", "2"].map((digit) => digit.repeat(64));
    const others = [digests.toReversed(), digests.slice(1), [...digests, DIGEST]].map(setDigest);
    expect(new Set([setDigest(digests), ...others]).size).toBe(4);
  });

  it.each([[], "0".repeat(64), [DIGEST.toUpperCase()], [DIGEST, DIGEST.slice(1)], [undefined], null])("IV-004 refuses %j", async (digests) => {
    expect(await errorOf(() => setDigest(digests as never))).toMatchObject({ code: "INVALID_INPUT", details: { argument: "digests" } });
  });
});
