import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { correlationIdProblem, digestProblem, shardIdProblem, textProblem } from "./rules.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

describe("IV-003 test_shard_id_validation", () => {
  it.each(["a", "llama-7b_0", "A".repeat(256)])("accepts %j", (id) => {
    expect(shardIdProblem(id)).toBeUndefined();
  });

  it.each(["", "a".repeat(257), "a b", "a/b", "../a", "a\n", "a\0", "é", "a.b"])("refuses %j", (id) => {
    expect(shardIdProblem(id)).toMatch(/^have 1 to 256 characters/);
  });

  it.each([undefined, null, 1, {}, ["a"]])("refuses the non-string %j", (id) => {
    expect(shardIdProblem(id)).toBe("be a string");
  });

  it("accepts exactly the stated alphabet", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), (text) => {
        const allowed = Array.from(text).every((character) => ALPHABET.includes(character));
        expect(shardIdProblem(text) === undefined).toBe(allowed);
      }),
    );
  });
});

describe("IV-004 test_digest_validation", () => {
  it("accepts 64 lowercase hexadecimal characters", () => {
    expect(digestProblem("0123456789abcdef".repeat(4))).toBeUndefined();
  });

  it.each(["", "0".repeat(63), "0".repeat(65), "A".repeat(64), "g".repeat(64), `${"0".repeat(64)}\n`, 0, null])(
    "refuses %j",
    (digest) => {
      expect(digestProblem(digest)).toBeTypeOf("string");
    },
  );
});

describe("IV-005 test_null_byte_rejection", () => {
  it("names NUL without echoing the text", () => {
    expect(textProblem("secret\0text")).toBe("contain no NUL character");
  });

  it.each(["\u0001", "\u001b[31m", "\n", "\u007f", "\u0085", "\u202e", "\u2066", "\u061c", "\ud800", "a\udfff"])(
    "refuses %j",
    (text) => {
      expect(textProblem(`a${text}b`)).toBeTypeOf("string");
    },
  );

  it("counts the limit in UTF-16 code units", () => {
    expect(textProblem("x".repeat(512))).toBeUndefined();
    expect(textProblem("x".repeat(513))).toBe("have 1 to 512 characters");
    expect(textProblem("")).toBe("have 1 to 512 characters");
  });

  it("accepts well-formed text of any script", () => {
    expect(textProblem("hf:org/modèle@日本語-😀")).toBeUndefined();
  });
});

describe("a correlation id", () => {
  it.each(["a", "req:7f.3-A_9", "a".repeat(128)])("accepts %j", (id) => {
    expect(correlationIdProblem(id)).toBeUndefined();
  });

  it.each(["", "a".repeat(129), "a b", "a/b", "a\n", "a\0", "é", 1, null])("refuses %j", (id) => {
    expect(correlationIdProblem(id)).toMatch(/^(?:have 1 to 128 characters|be a string)/);
  });
});
