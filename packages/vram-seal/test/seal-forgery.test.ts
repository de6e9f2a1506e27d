import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createSeal, generate, type Seal, type SealKey, type SealStatement, verifySeal } from "../src/index.js";
import { failureOf, flipBit, INSTANCE, macOf, statementFor, withMac } from "./support/fixtures.js";

let key: SealKey;
let seal: Seal;
beforeAll(async () => {
  key = await generate();
  seal = await createSeal(statementFor(key), key);
});

const refusal = (presented: unknown) => failureOf(() => verifySeal(presented, { key, instanceId: INSTANCE }));
const refusedBy = (reason: string) => ({ code: "SEAL_VERIFICATION_FAILED", reason });

describe("SF-1 test_seal_forgery_rejected", () => {
  it("accepts the seal itself", async () => {
    expect(await verifySeal(seal, { key, instanceId: INSTANCE })).toEqual(statementFor(key));
  });

  it("refuses random and zeroed MACs", async () => {
    for (let round = 0; round < 100; round++) expect(await refusal(withMac(seal, randomBytes(32)))).toEqual(refusedBy("mac"));
    expect(await refusal(withMac(seal, Buffer.alloc(32)))).toEqual(refusedBy("mac"));
  });

  it.each([0, 16, 31])("refuses a MAC cut to %d bytes", async (byteLength) => {
    expect(await refusal(withMac(seal, macOf(seal).subarray(0, byteLength)))).toEqual(refusedBy("shape"));
  });

  it.each([33, 64])("refuses a MAC of %d bytes that begins with the right one", async (byteLength) => {
    const longer = Buffer.concat([macOf(seal), Buffer.alloc(byteLength - 32)]);
    expect(await refusal(withMac(seal, longer))).toEqual(refusedBy("shape"));
  });

  it("refuses every single flipped bit of the MAC", async () => {
    for (let bit = 0; bit < 256; bit++) expect(await refusal(withMac(seal, flipBit(macOf(seal), bit)))).toEqual(refusedBy("mac"));
  });

  it("refuses every single flipped bit of the statement", async () => {
    const statement = Buffer.from(seal.statement, "base64");
    for (let bit = 0; bit < statement.length * 8; bit++) {
      const flipped = flipBit(statement, bit).toString("base64");
      expect(await refusal({ ...seal, statement: flipped })).toEqual(refusedBy("mac"));
    }
  });

  it("refuses the MAC of another statement, and a seal of another key", async () => {
    const other = await createSeal(statementFor(key, { sealSequence: 2 }), key);
    expect(await refusal({ ...seal, mac: other.mac })).toEqual(refusedBy("mac"));
    const stranger = await generate();
    expect(await refusal(await createSeal(statementFor(stranger), stranger))).toEqual(refusedBy("mac"));
  });
});

describe("SF-2 test_tampered_digest_rejected", () => {
  it("refuses every digest but the sealed one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (digest) => {
        const statement = replaced(seal, { digest: Buffer.from(digest).toString("hex") });
        expect(await refusal({ ...seal, statement })).toEqual(refusedBy("mac"));
      }),
    );
  });
});

describe("CI-002 test_signature_coverage", () => {
  const changes: Required<{ readonly [Field in keyof SealStatement]: unknown }> = {
    v: 2,
    shardId: "shard-1",
    modelRef: null,
    vramBytes: 4097,
    digest: "0".repeat(64),
    digestAlgorithm: "sha256",
    gpuDevice: 1,
    gpuUuid: "GPU-00112233-4455-6677-8899-aabbccddee00",
    backend: "cuda",
    driverVersion: "12.5",
    kernel: "0".repeat(64),
    placement: { bufferId: "2", blockId: "2", access: "read" },
    expected: null,
    workerId: "worker-8",
    instanceId: "f".repeat(32),
    sealSequence: 2,
    keyId: "0".repeat(16),
    keyLocked: false,
    sealedAt: "2001-02-03T04:05:06.790Z",
    setId: null,
    shardIndex: 1,
    totalShards: 3,
  };

  it.each(Object.entries(changes))("refuses a seal whose %s was changed", async (field, value) => {
    const statement = replaced(seal, { [field]: value });
    expect(statement).not.toBe(seal.statement);
    expect(await refusal({ ...seal, statement })).toEqual(refusedBy("mac"));
  });

  it("covers every field a statement has", () => {
    expect(Object.keys(changes).sort()).toEqual(Object.keys(statementFor(key)).sort());
  });
});

describe("seal_verification_rejects_modified_data", () => {
  it("refuses any other bytes in place of the statement or the MAC", async () => {
    const text = fc.oneof(fc.base64String(), fc.string(), fc.constant(seal.mac), fc.constant(seal.statement));
    await fc.assert(
      fc.asyncProperty(text, text, async (statement, mac) => {
        fc.pre(statement !== seal.statement || mac !== seal.mac);
        expect((await refusal({ statement, mac })).code).toBe("SEAL_VERIFICATION_FAILED");
      }),
    );
  });

  it("refuses any value that is not a seal, with nothing but a SealError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything({ withBoxedValues: true, withNullPrototype: true, withDate: true, withMap: true }), async (value) => {
        expect(await refusal(value)).toEqual(refusedBy("shape"));
      }),
    );
  });
});

describe("seal_verification_deterministic", () => {
  it("gives the same seal and the same answer every time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), async (sealSequence, honest) => {
        const statement = statementFor(key, { sealSequence });
        const [one, two] = [await createSeal(statement, key), await createSeal(statement, key)];
        expect(one).toEqual(two);
        const presented = honest ? one : withMac(one, flipBit(macOf(one), sealSequence % 256));
        const answers = await Promise.allSettled([1, 2, 3].map(() => verifySeal(presented, { key, instanceId: INSTANCE })));
        expect(answers.map(({ status }) => status)).toEqual(Array(3).fill(honest ? "fulfilled" : "rejected"));
      }),
    );
  });
});

/** The seal's statement with some fields changed, in the same canonical form. */
function replaced(sealed: Seal, changes: Record<string, unknown>): string {
  const fields = JSON.parse(Buffer.from(sealed.statement, "base64").toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...fields, ...changes })).toString("base64");
}
