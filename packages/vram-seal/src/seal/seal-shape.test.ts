import { afterEach, describe, expect, it, vi } from "vitest";
import { readSealShape } from "./seal-shape.js";

const mac = Buffer.alloc(32, 1).toString("base64");
const statementOf = (byteLength: number): string => Buffer.alloc(byteLength, 2).toString("base64");

afterEach(() => {
  vi.restoreAllMocks();
});

describe("SF-1 readSealShape", () => {
  it.each([1, 2, 3, 8191, 8192])("reads a statement of %d bytes", (byteLength) => {
    const shape = readSealShape({ mac, statement: statementOf(byteLength) });
    expect(shape).toEqual({ statement: Buffer.alloc(byteLength, 2), mac: Buffer.alloc(32, 1) });
  });

  it.each([8193, 8194])("refuses a statement of %d bytes", (byteLength) => {
    expect(readSealShape({ mac, statement: statementOf(byteLength) })).toBeUndefined();
  });

  it("refuses what is no text, and runs no code of it", () => {
    const trap = { get length(): never { throw new Error("its code ran"); } };
    for (const value of [null, undefined, 32, true, ["AAAA"], Buffer.from("AAAA"), new String("AAAA"), trap]) {
      expect(readSealShape({ mac, statement: value })).toBeUndefined();
      expect(readSealShape({ mac: value, statement: "AAAA" })).toBeUndefined();
    }
  });

  it("does not decode a text that is too long", () => {
    const decode = vi.spyOn(Buffer, "from");
    expect(readSealShape({ mac, statement: "A".repeat(1 << 24) })).toBeUndefined();
    expect(readSealShape({ mac: "A".repeat(1 << 24), statement: "AAAA" })).toBeUndefined();
    const decoded = decode.mock.calls.map(([text]: readonly unknown[]) => (typeof text === "string" ? text.length : 0));
    expect(decoded.sort()).toEqual([4, 44]);
  });
});
