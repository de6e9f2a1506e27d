import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorOf, withPollution } from "../../test/support/fixtures.js";
import { canonicalize } from "./canonical-json.js";

/** RFC 8785 appendix B: IEEE 754 bits and the number's text. */
const NUMBERS: readonly (readonly [string, string])[] = [
  ["0000000000000000", "0"],
  ["8000000000000000", "0"],
  ["0000000000000001", "5e-324"],
  ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"],
  ["ffefffffffffffff", "-1.7976931348623157e+308"],
  ["4340000000000000", "9007199254740992"],
  ["c340000000000000", "-9007199254740992"],
  ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"],
  ["44b52d02c7e14af6", "1e+23"],
  ["44b52d02c7e14af7", "1.0000000000000001e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"],
  ["444b1ae4d6e2ef4f", "999999999999999900000"],
  ["444b1ae4d6e2ef50", "1e+21"],
  ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ["3eb0c6f7a0b5ed8d", "0.000001"],
  ["41b3de4355555553", "333333333.3333332"],
  ["41b3de4355555554", "333333333.33333325"],
  ["41b3de4355555555", "333333333.3333333"],
  ["41b3de4355555556", "333333333.3333334"],
  ["41b3de4355555557", "333333333.33333343"],
  ["becbf647612f3696", "-0.0000033333333333333333"],
  ["43143ff3c1cb0959", "1424953923781206.2"],
];

const number = (bits: string): number => Buffer.from(bits, "hex").readDoubleBE();

describe("RFC 8785 vectors", () => {
  it("writes the sample of section 3.2.2", () => {
    const sample: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalize(sample)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("orders the names of section 3.2.3 by UTF-16 code unit", () => {
    const values = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(Object.values(JSON.parse(canonicalize([values]).replace(/"1":"One",/, "").slice(1, -1)) as object)).toEqual([
      "Carriage Return",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
    expect(canonicalize(values).startsWith(String.raw`{"\r":"Carriage Return","1":"One",`)).toBe(true);
  });

  it.each(NUMBERS)("writes the number %s as %s", (bits, text) => {
    expect(canonicalize(number(bits))).toBe(text);
  });

  it.each(["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])("refuses the number %s", async (bits) => {
    expect((await errorOf(() => canonicalize(number(bits)))).code).toBe("INVALID_INPUT");
  });
});

describe("canonicalize", () => {
  it("keeps every JSON value, and is its own fixed point", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, stringUnit: "grapheme" }), (value) => {
        const text = canonicalize(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalize(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it("does not depend on the order of insertion", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalize({ ...reversed })).toBe(canonicalize({ ...object }));
      }),
    );
  });

  it("takes objects without a prototype, and a name __proto__", () => {
    expect(canonicalize(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
    expect(canonicalize(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });

  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const named = Object.assign([1], { name: 1 });
  const refused: readonly (readonly [string, unknown])[] = [
    ["undefined", undefined],
    ["an undefined member", { a: undefined }],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a symbol name", { [Symbol("s")]: 1 }],
    ["a bigint", 1n],
    ["NaN inside", [Number.NaN]],
    ["a lone high surrogate", "a\ud800"],
    ["a lone low surrogate", ["\udc00a"]],
    ["a lone surrogate in a name", { "\ud800": 1 }],
    ["a Date", new Date(0)],
    ["a Map", new Map()],
    ["bytes", new Uint8Array(1)],
    ["a boxed number", Object(1)],
    ["an instance", new (class Point { x = 1; })()],
    ["a subclass of Array", new (class List extends Array<number> {})()],
    ["an array with a hole", [1, , 2]], // eslint-disable-line no-sparse-arrays
    ["an array with a name", named],
    ["a getter", { get a() { return 1; } }],
    ["a hidden property", Object.defineProperty({}, "a", { value: 1 })],
    ["a proxy", new Proxy({}, {})],
    ["a proxied array", [new Proxy([], {})]],
    ["a cycle", cyclic],
    ["65 levels", JSON.parse("[".repeat(66) + "]".repeat(66))],
  ];
  it.each(refused)("refuses %s", async (_, value) => {
    expect((await errorOf(() => canonicalize(value))).code).toBe("INVALID_INPUT");
  });

  it("calls neither toJSON nor a getter, even with Object.prototype tampered with", async () => {
    let calls = 0;
    const trap = { get: () => calls++ };
    const value = Object.defineProperties({}, { a: { ...trap, enumerable: true } });
    const outcome = withPollution("value", "forged", () => canonicalize(value));
    expect(outcome).toMatchObject({ code: "INVALID_INPUT" });
    expect((await errorOf(() => canonicalize({ toJSON: () => calls++ }))).code).toBe("INVALID_INPUT");
    expect(calls).toBe(0);
  });
});
