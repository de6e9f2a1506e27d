import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SegmentTally } from "./segment-tally.js";

describe("the tally of a segment", () => {
  it("counts and hashes lines of every length, also when it is asked between them", () => {
    const length = fc.oneof(fc.nat(600), fc.constantFrom(16_382, 16_383, 16_384, 40_000));
    fc.assert(
      fc.property(fc.array(fc.tuple(length, fc.boolean()), { maxLength: 60 }), (lines) => {
        const tally = new SegmentTally(8, 0);
        let content = "";
        for (const [bytes, isAsked] of lines) {
          content += `${"x".repeat(bytes)}\n`;
          tally.add(Buffer.alloc(bytes, "x"));
          if (isAsked) tally.facts();
        }
        const sha256 = createHash("sha256").update(content).digest("hex");
        expect(tally.facts()).toEqual({ first: 8, last: 7 + lines.length, bytes: content.length, sha256 });
      }),
    );
  });
});
