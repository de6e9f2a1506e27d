import { beforeAll, describe, expect, it } from "vitest";
import { INSTANCE, errorOf, failureOf, statementFor, vectorKey, withPollution } from "../../test/support/fixtures.js";
import { sealVectors } from "../../test/support/vectors.js";
import { generate } from "../keys/generate.js";
import type { SealKey } from "../keys/seal-key.js";
import { createSeal } from "./create-seal.js";
import type { Seal } from "./seal-statement.js";
import { verifySeal } from "./verify-seal.js";

let key: SealKey;
let seal: Seal;
beforeAll(async () => {
  key = vectorKey();
  seal = await createSeal(statementFor(key), key);
});

describe("CI-001 verifySeal vectors", () => {
  it.each(sealVectors.valid)("accepts $name", async ({ instanceId, statement, seal }) => {
    expect(await verifySeal(seal, { key, instanceId })).toEqual(statement);
  });

  it.each(sealVectors.invalid)("refuses ($outcome.reason) $name", async ({ instanceId, seal, outcome }) => {
    expect(await failureOf(() => verifySeal(seal, { key, instanceId }))).toEqual(outcome);
  });
});

describe("SF-3 test_seal_replay_rejected", () => {
  it("refuses a seal of another process instance", async () => {
    const instanceId = "f".repeat(32);
    const replayed = await createSeal(statementFor(key, { instanceId }), key);
    expect((await verifySeal(replayed, { key, instanceId })).instanceId).toBe(instanceId);
    expect(await failureOf(() => verifySeal(replayed, { key, instanceId: INSTANCE }))).toEqual({
      code: "SEAL_VERIFICATION_FAILED",
      reason: "mac",
    });
  });
});

describe("verifySeal with several keys", () => {
  let others: readonly SealKey[];
  beforeAll(async () => {
    others = [await generate(), await generate()];
  });

  it("takes whichever made the seal", async () => {
    const [first, second] = others as readonly [SealKey, SealKey];
    for (const keys of [[key], [first, key], [first, key, second]]) {
      expect((await verifySeal(seal, { key: keys, instanceId: INSTANCE })).keyId).toBe(key.keyId);
    }
  });

  it("refuses a seal of none of them", async () => {
    const refused = { code: "SEAL_VERIFICATION_FAILED", reason: "mac" };
    expect(await failureOf(() => verifySeal(seal, { key: others, instanceId: INSTANCE }))).toEqual(refused);
    expect(await failureOf(() => verifySeal(seal, { key: [], instanceId: INSTANCE }))).toEqual(refused);
  });

  it("refuses a statement that one of them signed in another's name", async () => {
    const [other] = others as readonly [SealKey];
    const inOthersName: SealKey = { ...other, keyId: key.keyId, locked: key.locked, mac: (...args) => other.mac(...args) };
    const forged = await createSeal(statementFor(key), inOthersName);
    expect(await failureOf(() => verifySeal(forged, { key: [key, other], instanceId: INSTANCE }))).toEqual({
      code: "SEAL_VERIFICATION_FAILED",
      reason: "statement",
    });
  });

  it("a key that is out of reach is no verdict, and does not matter where another made the seal", async () => {
    const closed = await generate();
    await closed.close();
    for (const keys of [[closed, key], [key, closed]]) {
      expect((await verifySeal(seal, { key: keys, instanceId: INSTANCE })).keyId).toBe(key.keyId);
    }
    expect(await failureOf(() => verifySeal(seal, { key: [closed, ...others], instanceId: INSTANCE }))).toMatchObject({ code: "KEY_UNAVAILABLE" });
  });
});

describe("verifySeal", () => {
  const shape = { code: "SEAL_VERIFICATION_FAILED", reason: "shape" };
  const verify = (presented: unknown) => verifySeal(presented, { key, instanceId: INSTANCE });

  it("gives a deeply frozen statement", async () => {
    const statement = await verify(seal);
    expect([statement, statement.placement, statement.expected].every(Object.isFrozen)).toBe(true);
  });

  it("runs no getter, no proxy trap and no toString of the presented object", async () => {
    let calls = 0;
    const count =
      <T>(value: T) =>
      (): T => {
        calls++;
        return value;
      };
    const getter = Object.defineProperty({ mac: seal.mac }, "statement", { get: count(seal.statement), enumerable: true });
    const trapped = new Proxy(seal, { getOwnPropertyDescriptor: count(undefined), ownKeys: count([]), get: count(1) });
    const speaking = { statement: { toString: count(seal.statement) }, mac: seal.mac };
    for (const presented of [getter, trapped, speaking]) expect(await failureOf(() => verify(presented))).toEqual(shape);
    expect(calls).toBe(0);
  });

  it("ignores what the prototype holds", async () => {
    expect(await failureOf(() => verify(Object.create(seal)))).toEqual(shape);
    expect(await failureOf(() => verify({ mac: seal.mac, __proto__: seal }))).toEqual(shape);
    const { statement } = seal;
    const pending = withPollution("mac", seal.mac, () => verify({ statement, other: 1 }));
    expect(await failureOf(() => pending)).toEqual(shape);
    const getter = Object.defineProperty({ mac: seal.mac }, "statement", { get: () => statement });
    const forged = withPollution("value", statement, () => verify(getter));
    expect(await failureOf(() => forged)).toEqual(shape);
  });

  it("refuses a boxed string, a symbol name and a hidden third property", async () => {
    const boxed: unknown = Object(seal.statement);
    expect(await failureOf(() => verify({ ...seal, statement: boxed }))).toEqual(shape);
    expect(await failureOf(() => verify({ ...seal, [Symbol("x")]: 1 }))).toEqual(shape);
    expect(await failureOf(() => verify(Object.defineProperty({ ...seal }, "x", { value: 1 })))).toEqual(shape);
  });

  it("judges the bytes it was given, whatever happens to the object afterwards", async () => {
    const presented = { ...seal };
    const pending = verify(presented);
    presented.statement = "";
    presented.mac = "";
    expect((await pending).shardId).toBe("shard-0");
  });

  it.each([undefined, null, "", "f".repeat(31), "F".repeat(32), 1])("IV-005 refuses the instance id %j as the caller's mistake", async (instanceId) => {
    const options = { key, instanceId: instanceId as string };
    expect((await errorOf(() => verifySeal(seal, options))).code).toBe("INVALID_INPUT");
  });

  it.each([undefined, null, 1, "true"])("says KEY_UNAVAILABLE, not forgery, when the key's verdict is %j", async (verdict) => {
    const unsure = { ...key, keyId: key.keyId, locked: key.locked, verify: () => Promise.resolve(verdict as never) };
    expect(await failureOf(() => verifySeal(seal, { key: unsure, instanceId: INSTANCE }))).toEqual({ code: "KEY_UNAVAILABLE", reason: "bad-verdict" });
  });

  it("says KEY_UNAVAILABLE, not forgery, when the key is closed", async () => {
    const closed = vectorKey();
    await closed.close();
    expect((await errorOf(() => verifySeal(seal, { key: closed, instanceId: INSTANCE }))).code).toBe("KEY_UNAVAILABLE");
  });

  it("does not echo what was presented", async () => {
    const statement = Buffer.from("presented-text").toString("base64");
    const error = await errorOf(() => verify({ statement, mac: seal.mac }));
    expect(`${error.message} ${JSON.stringify(error.details)} ${String(error.stack)}`).not.toMatch(/presented-text|cHJlc2VudGVk/);
  });
});
