import { createHmac } from "node:crypto";
import { inspect } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { errorOf, INSTANCE, keyOf, vectorKey } from "../../test/support/fixtures.js";
import { type KeyVector, sealVectors } from "../../test/support/vectors.js";
import { fromWorkerToken } from "./from-worker-token.js";
import { generate } from "./generate.js";
import type { SealKey } from "./seal-key.js";

const MESSAGE = Buffer.from("message");

describe("CI-005 test_key_derivation", () => {
  it("gives the key id and MAC keys of the vectors, from a root key", async () => {
    await expectVector(await vectorKey(), sealVectors.keys);
  });

  it("gives the key id and MAC keys of the vectors, from a worker token", async () => {
    const { token } = sealVectors.keys;
    await expectVector(await fromWorkerToken(token.text), token);
    await expectVector(await keyOf(Buffer.from(token.rootKey, "hex")), token);
  });

  it("changes with the instance, and back", async () => {
    const key = await vectorKey();
    const macs = [];
    for (const instanceId of [INSTANCE, "f".repeat(32), INSTANCE]) macs.push(Buffer.from(await key.mac(instanceId, MESSAGE)).toString("hex"));
    expect(macs[0]).not.toBe(macs[1]);
    expect(macs[0]).toBe(macs[2]);
  });

  it("generates a new key each time", async () => {
    const [one, two] = [await generate(), await generate()];
    expect(one.keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(one.keyId).not.toBe(two.keyId);
    expect(await one.mac(INSTANCE, MESSAGE)).not.toEqual(await two.mac(INSTANCE, MESSAGE));
  });
});

describe("LocalSealKey", () => {
  let key: SealKey;
  beforeAll(async () => {
    key = await generate();
  });

  it("CI-006 shows its id and nothing else", () => {
    const shown = { keyId: key.keyId, locked: false };
    expect(JSON.parse(JSON.stringify(key))).toEqual(shown);
    expect(inspect(key, { showHidden: true, depth: null, getters: true })).toBe(`SealKey { keyId: '${key.keyId}', locked: false }`);
    expect(inspect(key, { customInspect: false, showHidden: true, depth: null })).toBe(`LocalSealKey ${inspect(shown)}`);
    expect(Reflect.ownKeys(key)).toEqual(["keyId", "locked"]);
    expect(structuredClone(key)).toEqual(shown);
  });

  it("cannot be told to look locked", () => {
    expect(Reflect.set(key, "locked", true)).toBe(false);
    expect(key.locked).toBe(false);
  });

  it.each([undefined, null, "message", [1]])("refuses the message %j", async (message) => {
    const error = await errorOf(() => key.mac(INSTANCE, message as unknown as Uint8Array));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "message" } });
  });

  it.each([undefined, 1, "", "f".repeat(31), "F".repeat(32), "g".repeat(32)])("refuses the instance %j", async (instanceId) => {
    const error = await errorOf(() => key.mac(instanceId as string, MESSAGE));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "instanceId" } });
  });

  it("says KEY_UNAVAILABLE after close, twice closed or disposed, and keeps its id", async () => {
    const closed = await vectorKey();
    await closed.mac(INSTANCE, MESSAGE);
    await closed.close();
    await closed[Symbol.asyncDispose]();
    const error = await errorOf(() => closed.mac(INSTANCE, MESSAGE));
    expect(error).toMatchObject({ code: "KEY_UNAVAILABLE", details: { reason: "closed" } });
    expect(closed.keyId).toBe(sealVectors.keys.keyId);
  });
});

async function expectVector(key: SealKey, vector: KeyVector): Promise<void> {
  expect(key.keyId).toBe(vector.keyId);
  expect(vector.macKeys.length).toBeGreaterThan(0);
  for (const { instanceId, macKey } of vector.macKeys) {
    const expected = createHmac("sha256", Buffer.from(macKey, "hex")).update(MESSAGE).digest();
    expect(Buffer.from(await key.mac(instanceId, MESSAGE))).toEqual(expected);
  }
}
