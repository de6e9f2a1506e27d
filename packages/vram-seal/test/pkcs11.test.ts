import { createHmac, hash, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createSeal, fromPkcs11, sealKeyMemory, verifySeal } from "../src/index.js";
import type { Pkcs11Options, SealKey } from "../src/index.js";
import { INSTANCE, errorOf, failureOf, statementFor } from "./support/fixtures.js";
import { PIN, itWithHsm, startHsm, pkcs11 } from "./support/hsm.js";

const KNOWN = randomBytes(32);
let token: ReturnType<typeof startHsm> | undefined;

beforeAll(() => {
  if (itWithHsm === it) token = startHsm("vram");
  token?.addKeys({ label: "seal" }, { label: "known", value: KNOWN }, { label: "twin" }, { label: "twin" });
});
afterAll(() => token?.remove());

const options = (more: Partial<Record<keyof Pkcs11Options, unknown>> = {}): Pkcs11Options =>
  ({ library: token?.library ?? "", token: "vram", pin: PIN, key: "seal", mode: "direct", module: pkcs11(), ...more }) as Pkcs11Options;

async function open(more: Partial<Record<keyof Pkcs11Options, unknown>> = {}): Promise<SealKey> {
  const key = await fromPkcs11(options(more));
  onTestFinished(() => key.close());
  return key;
}

const hmac = (key: Uint8Array, ...message: (string | Uint8Array)[]): Buffer => createHmac("sha256", key).update(Buffer.concat(message.map((part) => Buffer.from(part)))).digest();

describe("CI-005 a key in a token of PKCS #11", () => {
  itWithHsm.each(["direct", "derive"])("seals and verifies (%s), in another session as well", async (mode) => {
    const key = await open({ mode });
    const seal = await createSeal(statementFor(key), key);
    const again = await open({ mode });
    expect(again.keyId).toBe(key.keyId);
    expect((await verifySeal(seal, { key: again, instanceId: INSTANCE })).keyId).toBe(key.keyId);
    const other = await open({ mode, key: "known" });
    expect(await failureOf(() => verifySeal(seal, { key: other, instanceId: INSTANCE }))).toMatchObject({ reason: "mac" });
  });

  itWithHsm("the token's MACs are those that the specification says, of any message, bound to the instance", async () => {
    const key = await open({ key: "known" });
    for (const message of [Buffer.alloc(0), Buffer.from("message"), randomBytes(100_000)]) {
      const expected = hmac(KNOWN, `vram-seal/direct/v1\0${INSTANCE}\0`, hash("sha256", message, "buffer"));
      expect(await key.mac(INSTANCE, message)).toEqual(expected);
    }
    expect(key.keyId).toBe(hash("sha256", Buffer.concat([Buffer.from("vram-seal/key-id/v1\0"), hmac(KNOWN, "key-id")])).slice(0, 16));
  });

  itWithHsm("the derived root key is the one that the specification says, and the token is let go", async () => {
    const key = await open({ key: "known", mode: "derive" });
    const root = hmac(KNOWN, "vram-seal/v1\0root");
    expect(key.keyId).toBe(hash("sha256", Buffer.concat([Buffer.from("vram-seal/key-id/v1\0"), hmac(root, "key-id")])).slice(0, 16));
    expect(key.locked).toBe(sealKeyMemory() !== "unlocked");
    expect(await failureOf(() => open({ pin: "9999" }))).toEqual({ code: "KEY_UNAVAILABLE", reason: "wrong-pin" });
  });

  itWithHsm("is locked where the token never gives it out", async () => {
    expect((await open()).locked).toBe(true);
    expect((await open({ key: "known" })).locked).toBe(false);
  });

  itWithHsm("takes many MACs at once, one after another", async () => {
    const key = await open({ key: "known" });
    const messages = Array.from({ length: 50 }, (_, index) => Buffer.from(`message ${index}`));
    const macs = await Promise.all(messages.map((message) => key.mac(INSTANCE, message)));
    expect(macs).toEqual(messages.map((message) => hmac(KNOWN, `vram-seal/direct/v1\0${INSTANCE}\0`, hash("sha256", message, "buffer"))));
  });

  itWithHsm("is KEY_UNAVAILABLE once it is closed, and closing waits for what runs", async () => {
    const key = await open();
    const running = key.mac(INSTANCE, Buffer.from("last"));
    await Promise.all([key.close(), key.close()]);
    expect(await running).toHaveLength(32);
    expect(await failureOf(() => key.mac(INSTANCE, Buffer.alloc(1)))).toEqual({ code: "KEY_UNAVAILABLE", reason: "closed" });
  });

  itWithHsm("shows its name and nothing else", async () => {
    const key = await open();
    const shown = { keyId: key.keyId, locked: true };
    expect(JSON.parse(JSON.stringify(key))).toEqual(shown);
    expect(inspect(key, { showHidden: true, depth: 9 })).toBe(`SealKey { keyId: '${key.keyId}', locked: true }`);
  });

  itWithHsm.each([
    ["a wrong PIN", { pin: "9999" }, { reason: "wrong-pin", result: "CKR_PIN_INCORRECT" }],
    ["a token of another label", { token: "other" }, { reason: "no-token" }],
    ["a key that is not there", { key: "other" }, { reason: "no-key" }],
    ["a key of which there are two", { key: "twin" }, { reason: "ambiguous-key" }],
    ["a library that is not there", { library: "/nonexistent/library.so" }, { reason: "no-library" }],
  ])("KEY_UNAVAILABLE for %s, without an echo", async (_, more, details) => {
    const error = await errorOf(() => fromPkcs11(options(more)));
    expect(error).toMatchObject({ code: "KEY_UNAVAILABLE", details });
    expect(inspect(error, { depth: 9 }).replaceAll(/^ {4}at .*$/gm, "")).not.toMatch(/9999|nonexistent|softhsm/);
    const key = await open();
    expect(await key.mac(INSTANCE, Buffer.alloc(1))).toHaveLength(32);
  });

  itWithHsm.each([
    ["library", 1],
    ["token", ""],
    ["pin", undefined],
    ["key", "a\u0000b"],
    ["mode", "both"],
  ])("INVALID_INPUT for a bad %s", async (argument, value) => {
    expect(await errorOf(() => fromPkcs11(options({ [argument]: value })))).toMatchObject({ code: "INVALID_INPUT", details: { argument } });
  });

  it("without pkcs11js it says what is missing", async () => {
    const without = { library: "library", token: "vram", pin: PIN, key: "seal", mode: "direct" } as const;
    expect(await errorOf(() => fromPkcs11(without))).toMatchObject({ code: "KEY_UNAVAILABLE", details: { reason: "no-module" } });
  });
});

describe("a token that is pulled out", () => {
  itWithHsm("is KEY_UNAVAILABLE in the middle: no seal, no crash", async () => {
    const key = await open();
    await createSeal(statementFor(key), key);
    token?.pull();
    expect(await failureOf(() => createSeal(statementFor(key), key))).toMatchObject({ code: "KEY_UNAVAILABLE", reason: "token" });
    await key.close();
  });
});
