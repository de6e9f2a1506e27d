import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sealVectors } from "../../test/support/vectors.js";
import { preAuthEncoding } from "./pre-auth-encoding.js";

describe("preAuthEncoding", () => {
  it("gives the vector of DSSE v1", () => {
    const encoded = preAuthEncoding("http://example.com/HelloWorld", Buffer.from("hello world"));
    expect(Buffer.from(encoded).toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  });

  it("gives the vector of seal v1", () => {
    const { type, bodyBytes, text } = sealVectors.preAuthEncoding;
    const body = Buffer.from(text).subarray(-bodyBytes);
    expect(Buffer.from(preAuthEncoding(type, body)).toString()).toBe(text);
  });

  it("counts bytes, and takes any of them", () => {
    const encoded = Buffer.from(preAuthEncoding("é", Buffer.of(0, 255)));
    expect(encoded).toEqual(Buffer.concat([Buffer.from("DSSEv1 2 é 2 "), Buffer.of(0, 255)]));
    expect(Buffer.from(preAuthEncoding("", new Uint8Array())).toString()).toBe("DSSEv1 0  0 ");
  });

  it("never gives one encoding for two inputs", () => {
    const input = fc.tuple(fc.string({ unit: fc.constantFrom("a", " ", "1") }), fc.string({ unit: fc.constantFrom("a", " ", "1") }));
    fc.assert(
      fc.property(input, input, (one, other) => {
        const [left, right] = [one, other].map(([type, body]) => Buffer.from(preAuthEncoding(type, Buffer.from(body))).toString());
        expect(left === right).toBe(one[0] === other[0] && one[1] === other[1]);
      }),
    );
  });
});
