import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { deriveRootKey, importKey } from "./key-derivation.js";

describe("CI-006 key bytes", () => {
  it.each([
    ["a root key", importKey],
    ["a token", deriveRootKey],
  ])("of %s are wiped when they are imported", (_, take) => {
    const bytes = randomBytes(32);
    expect(take(bytes).symmetricKeySize).toBe(32);
    expect(bytes).toEqual(Buffer.alloc(32));
  });

  it("are wiped when the import fails", () => {
    const bytes = randomBytes(32);
    const unusable = new Proxy(bytes, { get: (target, name) => (name === "fill" ? target.fill.bind(target) : undefined) });
    expect(() => importKey(unusable)).toThrow();
    expect(bytes).toEqual(Buffer.alloc(32));
  });
});
