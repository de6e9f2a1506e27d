import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { errorOf, INSTANCE } from "../../test/support/fixtures.js";
import { type KeyVector, sealVectors } from "../../test/support/vectors.js";
import { secretAddon } from "../secret-addon.js";
import { generate } from "./generate.js";
import { inKeyObjects, inPages, type RootKeys, rootKeys, sealKeyMemory } from "./root-keys.js";
import type { SealKey } from "./seal-key.js";

const MESSAGE = Buffer.from("message");
const OTHER_INSTANCE = "f".repeat(32);

function addon() {
  const found = secretAddon();
  if (found === undefined) throw new Error("the addon of vram-seal is not built");
  return found;
}

function noRootKey(): never {
  throw new Error("no root key");
}

describe.each<[string, string, RootKeys]>([
  ["a KeyObject", "KeyObjectSealKey", inKeyObjects],
  ["a page", "NativeSealKey", inPages(addon())],
])("a root key in %s", (_, className, keys) => {
  const vectorKey = () => keys.fromKey(Buffer.from(sealVectors.keys.rootKey, "hex"));

  it("CI-005 test_key_derivation gives the key id and MAC keys of the vectors, from a root key", async () => {
    await expectVector(vectorKey(), sealVectors.keys);
  });

  it("CI-005 test_key_derivation gives the key id and MAC keys of the vectors, from a worker token", async () => {
    const { token } = sealVectors.keys;
    await expectVector(keys.fromSecret(Buffer.from(token.text)), token);
    await expectVector(keys.fromKey(Buffer.from(token.rootKey, "hex")), token);
  });

  it("CI-005 test_key_derivation changes with the instance, and back", async () => {
    const key = vectorKey();
    const macs = [];
    for (const instanceId of [INSTANCE, OTHER_INSTANCE, INSTANCE]) macs.push(Buffer.from(await key.mac(instanceId, MESSAGE)).toString("hex"));
    expect(macs[0]).not.toBe(macs[1]);
    expect(macs[0]).toBe(macs[2]);
  });

  it("CI-001 gives HMAC-SHA256 of messages of every length, and verifies it", async () => {
    const key = vectorKey();
    const [{ macKey, instanceId }] = sealVectors.keys.macKeys as [{ macKey: string; instanceId: string }];
    for (const length of [...Array(200).keys(), 4096, 100_003]) {
      const message = randomBytes(length);
      const expected = createHmac("sha256", Buffer.from(macKey, "hex")).update(message).digest();
      expect(Buffer.from(await key.mac(instanceId, message))).toEqual(expected);
      expect(await key.verify(instanceId, message, expected)).toBe(true);
    }
  });

  it("CI-003 verifies no other MAC: no flipped bit, no other length, message or instance", async () => {
    const key = vectorKey();
    const mac = await key.mac(INSTANCE, MESSAGE);
    for (let bit = 0; bit < 256; bit++) {
      const wrong = Uint8Array.from(mac, (byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(await key.verify(INSTANCE, MESSAGE, wrong)).toBe(false);
    }
    for (const wrong of [Buffer.alloc(0), mac.subarray(0, 31), Buffer.concat([mac, Buffer.alloc(1)])]) {
      expect(await key.verify(INSTANCE, MESSAGE, wrong)).toBe(false);
    }
    expect(await key.verify(OTHER_INSTANCE, MESSAGE, mac)).toBe(false);
    expect(await key.verify(INSTANCE, Buffer.from("massage"), mac)).toBe(false);
    expect(await key.verify(INSTANCE, MESSAGE, mac)).toBe(true);
  });

  it("CI-006 is taken from bytes that are wiped", () => {
    for (const take of [keys.fromKey, keys.fromSecret]) {
      const bytes = randomBytes(32);
      expect(take(bytes).keyId).toMatch(/^[0-9a-f]{16}$/);
      expect(bytes).toEqual(Buffer.alloc(32));
    }
  });

  it("is another one each time it is random", async () => {
    const [one, two] = [keys.random(), keys.random()];
    expect(one.keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(one.keyId).not.toBe(two.keyId);
    expect(await one.mac(INSTANCE, MESSAGE)).not.toEqual(await two.mac(INSTANCE, MESSAGE));
  });

  it("CI-006 shows its id and whether it is locked, and nothing else", () => {
    const key = keys.random();
    const shown = { keyId: key.keyId, locked: key.locked };
    expect(JSON.parse(JSON.stringify(key))).toEqual(shown);
    expect(inspect(key, { showHidden: true, depth: null, getters: true })).toBe(`SealKey { keyId: '${key.keyId}', locked: ${key.locked} }`);
    expect(inspect(key, { customInspect: false, showHidden: true, depth: null })).toBe(`${className} ${inspect(shown)}`);
    expect(Reflect.ownKeys(key)).toEqual(["keyId", "locked"]);
    expect(structuredClone(key)).toEqual(shown);
  });

  it("cannot be told to look otherwise", () => {
    const key = keys.random();
    const { locked } = key;
    expect(Reflect.set(key, "locked", !locked)).toBe(false);
    expect(key.locked).toBe(locked);
  });

  it.each([undefined, null, "message", [1]])("refuses the message %j", async (message) => {
    const key = keys.random();
    for (const act of [() => key.mac(INSTANCE, message as never), () => key.verify(INSTANCE, message as never, Buffer.alloc(32))]) {
      expect(await errorOf(act)).toMatchObject({ code: "INVALID_INPUT", details: { argument: "message" } });
    }
    const error = await errorOf(() => key.verify(INSTANCE, MESSAGE, message as never));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "mac" } });
  });

  it.each([undefined, 1, "", "f".repeat(31), "F".repeat(32), "g".repeat(32)])("refuses the instance %j", async (instanceId) => {
    const key = keys.random();
    for (const act of [() => key.mac(instanceId as string, MESSAGE), () => key.verify(instanceId as string, MESSAGE, Buffer.alloc(32))]) {
      expect(await errorOf(act)).toMatchObject({ code: "INVALID_INPUT", details: { argument: "instanceId" } });
    }
  });

  it("says KEY_UNAVAILABLE after close, twice closed or disposed, and keeps its id", async () => {
    const closed = vectorKey();
    const mac = await closed.mac(INSTANCE, MESSAGE);
    await closed.close();
    await closed[Symbol.asyncDispose]();
    for (const act of [() => closed.mac(INSTANCE, MESSAGE), () => closed.verify(INSTANCE, MESSAGE, mac)]) {
      expect(await errorOf(act)).toMatchObject({ code: "KEY_UNAVAILABLE", details: { reason: "closed" } });
    }
    expect(closed.keyId).toBe(sealVectors.keys.keyId);
  });
});

describe("the addon", () => {
  const { RootKey } = addon();

  it("refuses what is no instance, no message and no MAC, and another object", () => {
    const key = new RootKey("random");
    const mac = Buffer.alloc(32);
    const text = "x" as never;
    for (const instanceId of ["\0".repeat(32), "\u0130".repeat(32), "F".repeat(32), "f".repeat(31), "f".repeat(33), 1 as never]) {
      expect([key.mac(instanceId, MESSAGE, mac), key.verify(instanceId, MESSAGE, mac)]).toEqual([undefined, undefined]);
    }
    for (const wrong of [text, undefined as never, new Uint16Array(32) as never]) {
      expect([key.mac(INSTANCE, wrong, mac), key.verify(INSTANCE, MESSAGE, wrong)]).toEqual([undefined, undefined]);
    }
    expect(key.mac(INSTANCE, MESSAGE, Buffer.alloc(31))).toBeUndefined();
    for (const method of ["mac", "verify", "memory", "keyIdMac", "close"] as const) {
      const call = Reflect.get(key, method) as () => void;
      expect(() => { Reflect.apply(call, {}, [INSTANCE, MESSAGE, mac]); }).toThrow("Illegal invocation");
    }
    expect(mac).toEqual(Buffer.alloc(32));
  });

  it.each([["key", Buffer.alloc(31)], ["key"], ["secret", "x"], ["other", Buffer.alloc(32)], []])("makes no key of %j", (...args) => {
    expect(() => new RootKey(...(args as ["key"]))).toThrow("no root key");
  });

  it("survives worker threads that are ended while they use it", async () => {
    const program = `
      const { RootKey } = require(process.env.ADDON);
      const key = new RootKey("random");
      for (;;) { key.mac("${INSTANCE}", Buffer.alloc(9), Buffer.alloc(32)); new RootKey("random").keyIdMac(); }`;
    const path = fileURLToPath(new URL("../../build/Release/vram_secret.node", import.meta.url));
    const ends = Array.from({ length: 12 }, async (_, index) => {
      const worker = new Worker(program, { eval: true, env: { ADDON: path } });
      await once(worker, "online");
      await delay(20 + 7 * index);
      return worker.terminate();
    });
    expect(await Promise.all(ends)).toEqual(ends.map(() => 1));
  });
});

describe("the place of a root key", () => {
  it("is a page where the addon is, and is told as it is", async () => {
    expect(sealKeyMemory()).not.toBe("key-object");
    const locked = sealKeyMemory() !== "unlocked";
    for (const key of [await generate(), rootKeys().fromKey(randomBytes(32))]) expect(key.locked).toBe(locked);
    expect(inKeyObjects.random().locked).toBe(false);
  });

  it("is not all there is to a key from a text: the text is not locked", () => {
    for (const keys of [rootKeys(), inKeyObjects]) expect(keys.fromSecret(randomBytes(32)).locked).toBe(false);
  });

  it("is an error where the system has no memory, never another place", async () => {
    const keys = inPages({ RootKey: noRootKey as never });
    for (const make of [() => keys.random(), () => keys.fromKey(randomBytes(32)), () => keys.fromSecret(randomBytes(32))]) {
      expect(await errorOf(make)).toMatchObject({ code: "KEY_UNAVAILABLE", details: { reason: "no-memory" } });
    }
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
