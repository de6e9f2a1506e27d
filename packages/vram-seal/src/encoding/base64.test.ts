import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base64Length, decodeBase64, encodeBase64 } from "./base64.js";

describe("canonical base64", () => {
  it("round-trips, with the length foretold", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toHaveLength(base64Length(bytes.length));
        expect(decodeBase64(text)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("has one text for one value: nothing else decodes", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("A", "Q", "/", "-", "_", "=", " ", "\n"), maxLength: 12 }), (text) => {
        const bytes = decodeBase64(text);
        if (bytes !== undefined) expect(encodeBase64(bytes)).toBe(text);
        expect(bytes === undefined).toBe(!/^(?:[AQ/]{4})*(?:[AQ/]{2}==|[AQ/]{3}=)?$/.test(text) || straysIn(text));
      }),
    );
  });
});

/** Of these characters only "/" (63) has bits where the padding of a last group wants zeros. */
function straysIn(text: string): boolean {
  return /\/={1,2}$/.test(text);
}
