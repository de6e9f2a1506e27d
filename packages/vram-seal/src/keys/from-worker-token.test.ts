import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { errorOf } from "../../test/support/fixtures.js";
import { fromWorkerToken } from "./from-worker-token.js";

describe("CI-005 fromWorkerToken", () => {
  it.each([
    ["32 characters, 12 of them distinct", "abcdefghijkl".padEnd(32, "a")],
    ["64 random hexadecimal characters", randomBytes(32).toString("hex")],
    ["4096 characters of any script", "wörkez-日本語-😀-".repeat(4).padEnd(4096, "x")],
  ])("takes %s", async (_, token) => {
    expect((await fromWorkerToken(token)).keyId).toMatch(/^[0-9a-f]{16}$/);
  });

  it("derives different keys from different tokens", async () => {
    const ids = await Promise.all(["a", "b"].map(async (last) => (await fromWorkerToken(`0123456789abcdef0123456789abcde${last}`)).keyId));
    expect(ids[0]).not.toBe(ids[1]);
  });

  const refused: readonly (readonly [string, unknown])[] = [
    ["31 characters", "0123456789abcdef0123456789abcde"],
    ["31 characters in 62 code units", "😀".repeat(19) + "0123456789ab"],
    ["11 distinct characters", "abcdefghijk".repeat(3)],
    ["empty", ""],
    ["a trailing newline", "0123456789abcdef0123456789abcdef\n"],
    ["NUL", "0123456789abcdef\u00000123456789abcdef"],
    ["a lone surrogate", "0123456789abcdef\ud8000123456789abcdef"],
    ["4097 characters", "0123456789abcdef".repeat(257)],
    ["undefined", undefined],
    ["bytes", Buffer.alloc(32, "0123456789abcdef")],
  ];
  it.each(refused)("CI-006 refuses without an echo: %s", async (_, token) => {
    const error = await errorOf(() => fromWorkerToken(token as string));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "token" } });
    expect(error.message + JSON.stringify(error.details)).not.toMatch(/01234|abcde/);
  });
});
