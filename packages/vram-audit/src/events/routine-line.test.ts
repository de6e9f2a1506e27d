import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LINE_EVENTS } from "../../test/support/entries.js";
import { verified } from "../../test/support/events.js";
import { draftLine, GENESIS, parseLine, placeLine } from "./line.js";
import { readRoutineLine } from "./routine-line.js";
import type { KnownEvent } from "./schema.js";

const lineOf = (event: KnownEvent) => placeLine(draftLine(event, "origin", { time: new Date(0), elapsedMs: 5 }), 12, GENESIS).toString("utf8");

/** Whether the line was accepted; if so, the judge of all lines must find the same in it. */
function accepts(text: string, encoding: BufferEncoding = "utf8"): boolean {
  const bytes = Buffer.from(text, encoding);
  const routine = readRoutineLine(bytes);
  if (routine === undefined) return false;
  const { fault, envelope } = parseLine(bytes);
  expect([text, fault]).toEqual([text, undefined]);
  expect(envelope).toMatchObject(routine.envelope);
  return true;
}

const LINE = lineOf({ ...verified("shard-7", 1.5), subject: "a b", correlationid: "request:7" });

/** Numbers as text: good ones, and such as have another spelling or none. */
const number = fc.oneof(
  fc.double({ min: 0, noNaN: true }).map(String),
  fc.bigInt({ min: 0n, max: 10n ** 19n }).map(String),
  fc.stringMatching(/^-?[0-9]{0,24}(?:\.[0-9]{0,24})?(?:e[+-]?[0-9]{0,3})?$/),
);
const lengths = fc.constantFrom(0, 256, 257, 1024, 1025, 8192, 8193);
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), lengths.map((length) => "x".repeat(length)));
const time = fc.oneof(fc.date({ noInvalidDate: true }).map((date) => date.toISOString()), fc.stringMatching(/^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}Z$/));

describe("a routine line", () => {
  it("is one about a verification, and no other", () => {
    expect(LINE_EVENTS.filter((event) => accepts(lineOf(event))).map(({ type }) => type)).toEqual(["vram.shard.verified"]);
  });

  it.each([0, 1.5, 12, 0.1 + 0.2, 1e-6, 123_456.000_000_000_01])("may have taken %d ms", (durationMs) => {
    expect(accepts(lineOf(verified("a", durationMs)))).toBe(true);
  });

  it("is never one that is refused, whatever is changed in a line", () => {
    const pieces = ["", '"', "\\", "0", ".", "e1", "-", " ", "{", "}", ",", '"a":1,', "\n", "A", "é", "\0", "\u007f"];
    for (let at = 0; at <= LINE.length; at += 1) {
      for (const removed of [0, 1]) {
        for (const piece of pieces) accepts(`${LINE.slice(0, at)}${piece}${LINE.slice(at + removed)}`);
      }
    }
  });

  it("is never one that is refused, whatever a field holds", () => {
    const field = fc.oneof(
      fc.tuple(fc.constantFrom("id", "source", "subject", "correlationid", "elapsedms", "shardId"), fc.oneof(text.map((value) => `"${value}"`), text.map((value) => JSON.stringify(value)))),
      fc.tuple(fc.constantFrom("vramBytes", "durationMs"), number),
      fc.tuple(fc.constant("time"), time.map((value) => `"${value}"`)),
    );
    const whole = fc.property(field, ([name, value]) => {
      accepts(LINE.replace(new RegExp(`("${name}":)("[^"]*"|[0-9.]+)`), (_, key: string) => `${key}${value}`));
    });
    fc.assert(whole, { numRuns: 3000 });
  });
});
