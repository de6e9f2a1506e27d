import { beforeAll, describe, expect, it } from "vitest";
import { INSTANCE, errorOf, statementFor, vectorKey, withPollution } from "../../test/support/fixtures.js";
import { sealVectors } from "../../test/support/vectors.js";
import type { SealKey } from "../keys/seal-key.js";
import { createSeal } from "./create-seal.js";
import type { SealStatement } from "./seal-statement.js";
import { verifySeal } from "./verify-seal.js";

let key: SealKey;
beforeAll(() => {
  key = vectorKey();
});

describe("CI-001 test_seal_signature", () => {
  it.each(sealVectors.valid)("seals $name to the bytes and MAC of the vector", async ({ statement, bytes, seal }) => {
    const created = await createSeal(statement as SealStatement, key);
    expect(Buffer.from(created.statement, "base64").toString()).toBe(bytes);
    expect(created).toEqual(seal);
  });

  it("gives the same seal for the same statement in any order of fields", async () => {
    const statement = statementFor(key);
    const reversed = Object.fromEntries(Object.entries(statement).reverse()) as unknown as SealStatement;
    expect(await createSeal(reversed, key)).toEqual(await createSeal(statement, key));
  });

  it("gives a frozen, plain seal that survives JSON", async () => {
    const seal = await createSeal(statementFor(key), key);
    expect(Object.isFrozen(seal)).toBe(true);
    const received: unknown = JSON.parse(JSON.stringify(seal));
    expect(await verifySeal(received, { key, instanceId: INSTANCE })).toEqual(statementFor(key));
  });
});

describe("createSeal refuses", () => {
  const bad: readonly (readonly [title: string, argument: string, changes: Record<string, unknown>])[] = [
    ["IV-003 test_shard_id_validation a path", "shardId", { shardId: "../a" }],
    ["IV-003 test_shard_id_validation 257 characters", "shardId", { shardId: "a".repeat(257) }],
    ["IV-004 test_digest_validation upper case", "digest", { digest: "AB".repeat(32) }],
    ["IV-004 test_digest_validation 63 characters", "digest", { digest: "0".repeat(63) }],
    ["IV-004 test_digest_validation an expected digest", "expected", { expected: { sha256: "AB".repeat(32) } }],
    ["IV-005 test_null_byte_rejection NUL", "modelRef", { modelRef: "a\0b" }],
    ["IV-005 test_null_byte_rejection a terminal escape", "workerId", { workerId: "a\u001b[31m" }],
    ["IV-005 test_null_byte_rejection a lone surrogate", "value", { workerId: "a\ud800" }],
    ["an undefined field", "value", { modelRef: undefined }],
    ["no bytes", "vramBytes", { vramBytes: 0 }],
    ["NaN bytes", "value", { vramBytes: Number.NaN }],
    ["bigint bytes", "value", { vramBytes: 1n }],
    ["2^53 bytes", "vramBytes", { vramBytes: 2 ** 53 }],
    ["another key's id", "keyId", { keyId: "0".repeat(16) }],
    ["a false claim of a locked key", "keyLocked", { keyLocked: true }],
    ["a surplus field", "statement", { surplus: 1 }],
    ["a surplus field of the placement", "placement", { placement: { bufferId: "1", blockId: "2", access: "read", address: "3" } }],
  ];
  it.each(bad)("%s", async (_, argument, changes) => {
    const error = await errorOf(() => createSeal(statementFor(key, changes), key));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument } });
  });

  it.each([null, undefined, "statement", []])("%j as a statement", async (statement) => {
    expect((await errorOf(() => createSeal(statement as unknown as SealStatement, key))).code).toBe("INVALID_INPUT");
  });

  it("a field that is only inherited", async () => {
    const statement: Record<string, unknown> = { ...statementFor(key) };
    delete statement["setId"];
    const pending = withPollution("setId", "forged", () => createSeal(statement as unknown as SealStatement, key));
    expect(await errorOf(() => pending)).toMatchObject({ code: "INVALID_INPUT", details: { argument: "setId" } });
  });

  it("a key that is closed, or that gives no HMAC-SHA256", async () => {
    const closed = vectorKey();
    await closed.close();
    expect((await errorOf(() => createSeal(statementFor(closed), closed))).code).toBe("KEY_UNAVAILABLE");
    const short = { ...stub(key), mac: () => Promise.resolve(new Uint8Array(16)) };
    expect((await errorOf(() => createSeal(statementFor(key), short))).details["reason"]).toBe("bad-mac");
  });
});

function stub({ keyId, locked }: SealKey): SealKey {
  const close = (): Promise<void> => Promise.resolve();
  const unused = () => Promise.reject(new Error("unused"));
  return { keyId, locked, mac: unused, verify: unused, close, [Symbol.asyncDispose]: close };
}
