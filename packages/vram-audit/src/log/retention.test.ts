import { describe, expect, it } from "vitest";
import type { ClosedSegment } from "../storage/segment-tally.js";
import { segmentsBeyond } from "./retention.js";

const NOW_MS = 1_000_000;

/** Segments of 10 lines and 100 bytes, closed 10 ms after one another, the last one just now. */
function closedSegments(count: number): readonly ClosedSegment[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `segment ${index}`,
    facts: { first: index * 10 + 1, last: index * 10 + 10, bytes: 100, sha256: "00".repeat(32) },
    root: "00".repeat(32),
    closedAtMs: NOW_MS - (count - 1 - index) * 10,
  }));
}

describe("what is beyond retention", () => {
  it.each([
    [{}, 0],
    [{ bytes: 450 }, 0],
    [{ bytes: 449 }, 1],
    [{ bytes: 1 }, 4],
    [{ segments: 5 }, 0],
    [{ segments: 3 }, 2],
    [{ segments: 1 }, 4],
    [{ milliseconds: 30 }, 0],
    [{ milliseconds: 29 }, 1],
    [{ milliseconds: 15 }, 2],
    [{ segments: 4, bytes: 250 }, 2],
    [{ segments: 2, bytes: 450, milliseconds: 25 }, 3],
  ])("of four closed segments and one of 50 bytes under %j: the oldest %i", (limits, count) => {
    const closed = closedSegments(4);
    expect(segmentsBeyond(limits, closed, 50, NOW_MS)).toEqual(closed.slice(0, count));
  });

  it("is no more than one record names", () => {
    expect(segmentsBeyond({ segments: 1 }, closedSegments(200), 0, NOW_MS)).toHaveLength(128);
  });
});
