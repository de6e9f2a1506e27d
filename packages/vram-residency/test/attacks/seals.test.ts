import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { fromKeyFile, fromWorkerToken, generate } from "vram-seal";
import type { Seal, SealError } from "vram-seal";
import { describe, expect, it, vi } from "vitest";
import { openWorkplace, patternBytes, refusal, temporaryFolder } from "../fixture.js";
import type { Workplace } from "../fixture.js";
import { macOf, openWithKnownKey, resigned, statementOf } from "../seal-bytes.js";

const TYPE = "application/vnd.vram-seal.v1+json";
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64");

/** The attacker wins if anything runs, or if the worker goes on as if nothing had been tried. */
async function expectLost({ residency }: Workplace, presented: unknown): Promise<string> {
  const fn = vi.fn();
  const error = await refusal(residency.execute(presented as Seal, fn));
  expect(error.code).toBe("SEAL_VERIFICATION_FAILED");
  expect(fn).not.toHaveBeenCalled();
  expect(residency.state).toBe("stopped");
  return String(error.details["reason"]);
}

async function sealed() {
  const { place, root } = await openWithKnownKey();
  const shard = await place.residency.seal(patternBytes(5000), { shardId: "s" });
  return { place, root, shard, seal: shard.seal };
}

describe("a seal that the attacker makes", () => {
  it.each([
    ["the root key itself", (root: Uint8Array) => root],
    ["the MAC key of another instance", (root: Uint8Array) => Buffer.from(hkdfSync("sha256", root, "vram-seal/v1", `seal\0${"0".repeat(32)}`, 32))],
    ["no key", () => Buffer.alloc(0)],
    ["a random key", () => randomBytes(32)],
  ])("under %s", async (_, keyOf) => {
    const { place, root, seal } = await sealed();
    const statement = Buffer.from(seal.statement, "base64");
    const mac = createHmac("sha256", keyOf(root)).update(`DSSEv1 ${TYPE.length} ${TYPE} ${statement.length} `).update(statement);
    expect(await expectLost(place, { ...seal, mac: mac.digest("base64") })).toBe("mac");
  });

  it.each([
    ["no encoding before it", (statement: Buffer) => statement],
    ["another type", (statement: Buffer) => Buffer.concat([Buffer.from(`DSSEv1 4 text ${statement.length} `), statement])],
    ["a length that is one too small", (statement: Buffer) => Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${statement.length - 1} `), statement])],
    ["the boundary of type and statement moved", (statement: Buffer) => Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length + 1} ${TYPE}`), statement])],
  ])("that signs %s", async (_, bytesOf) => {
    const { place, root, seal } = await sealed();
    const { instanceId } = statementOf(seal);
    const key = Buffer.from(hkdfSync("sha256", root, "vram-seal/v1", `seal\0${instanceId}`, 32));
    const mac = createHmac("sha256", key).update(bytesOf(Buffer.from(seal.statement, "base64"))).digest("base64");
    expect(await expectLost(place, { ...seal, mac })).toBe("mac");
  });

  const signed: Record<string, (text: string) => string> = {
    "the same key twice": (text) => text.replace('{"', '{"digest":"0","'),
    "a blank in its JSON": (text) => text.replace(":", ": "),
    "a number as text": (text) => text.replace('"v":1', '"v":"1"'),
    "a number in another notation": (text) => text.replace('"v":1', '"v":1.0'),
    "a huge number": (text) => text.replace(/"vramBytes":\d+/, '"vramBytes":9007199254740993'),
    "a surplus field": (text) => text.replace("{", '{"aaa":1,'),
    "__proto__ as a field": (text) => text.replace("{", '{"__proto__":{},'),
    "no bytes after it but a NUL": (text) => `${text}\0`,
    "a list": () => "[]",
    "null": () => "null",
  };
  it.each(Object.entries(signed))("with the very key over a statement of %s", async (_, change) => {
    const { place, root, seal } = await sealed();
    const text = Buffer.from(seal.statement, "base64").toString();
    const statement = Buffer.from(change(text));
    expect(statement.toString()).not.toBe(text);
    const { instanceId } = statementOf(seal);
    const key = Buffer.from(hkdfSync("sha256", root, "vram-seal/v1", `seal\0${instanceId}`, 32));
    const mac = createHmac("sha256", key).update(`DSSEv1 ${TYPE.length} ${TYPE} ${statement.length} `).update(statement).digest("base64");
    expect(await expectLost(place, { statement: base64(statement), mac })).toBe("statement");
  });

  it.each([
    ["another sequence number", { sealSequence: 2 }, "unknown_shard"],
    ["another shard", { shardId: "t" }, "unknown_shard"],
    ["another instance", { instanceId: "0".repeat(32) }, "mac"],
    ["a later time", { sealedAt: "2999-01-01T00:00:00.000Z" }, "statement"],
    ["another model", { modelRef: "hf:other/model" }, "statement"],
    ["other memory", { placement: { bufferId: "1", blockId: "1", access: "read-write" as const } }, "statement"],
  ])("with the very key for %s", async (_, changes, reason) => {
    const { place, root, seal } = await sealed();
    expect(await expectLost(place, resigned(root, seal, changes))).toBe(reason);
  });

  it("of the statement of one shard and the signature of another", async () => {
    const { place, seal } = await sealed();
    const other = await place.residency.seal(patternBytes(10));
    expect(await expectLost(place, { statement: seal.statement, mac: other.seal.mac })).toBe("mac");
  });
});

describe("a seal that the attacker kept", () => {
  it("of a released shard, its memory and id in use again with the same bytes", async () => {
    const { place, shard, seal } = await sealed();
    await shard.close();
    await place.residency.seal(patternBytes(5000), { shardId: "s" });
    expect(await expectLost(place, seal)).toBe("unknown_shard");
  });

  it("of a worker that ended, presented to one with the same key, shard and bytes", async () => {
    const { place, root, seal } = await sealed();
    await place.residency.close();
    const path = join(await temporaryFolder(), "key");
    await writeFile(path, root, { mode: 0o600 });
    const next = await openWorkplace({ sealKey: await fromKeyFile(path) });
    await next.residency.seal(patternBytes(5000), { shardId: "s" });
    expect(await expectLost(next, seal)).toBe("mac");
  });

  it("of a worker that still runs, presented to another one", async () => {
    const { seal } = await sealed();
    const other = await openWorkplace({ sealKey: await generate() });
    expect(await expectLost(other, seal)).toBe("mac");
  });

  it("and turns into another one while it is verified", async () => {
    const { place, root, seal } = await sealed();
    const forged = resigned(root, seal, { digest: "0".repeat(64) });
    const moving = { ...forged };
    const verifying = refusal(place.residency.verify(moving));
    moving.statement = seal.statement;
    moving.mac = seal.mac;
    expect((await verifying).details["reason"]).toBe("statement");
  });
});

describe("keys that HMAC would take for one", () => {
  // HMAC pads a short key with zeros: K and K || 00 sign alike.
  it.each([
    ["with a zero byte more", (key: Buffer) => Buffer.concat([key, Buffer.alloc(1)])],
    ["with its last zero byte cut", (key: Buffer) => key.subarray(0, 31)],
    ["with zeros up to a block", (key: Buffer) => Buffer.concat([key, Buffer.alloc(32)])],
    ["empty", () => Buffer.alloc(0)],
  ])("a key file %s is refused", async (_, change) => {
    const path = join(await temporaryFolder(), "key");
    await writeFile(path, change(Buffer.concat([randomBytes(31), Buffer.alloc(1)])), { mode: 0o600 });
    const error = (await fromKeyFile(path).catch((reason: unknown) => reason)) as SealError;
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { reason: "wrong-length" } });
  });

  it("worker tokens that differ in what follows have keys that differ", async () => {
    const token = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF";
    const keys = await Promise.all([token, `${token}0`, `0${token}`, `${token} `].map((each) => fromWorkerToken(each).catch(() => undefined)));
    const ids = keys.flatMap((key) => (key === undefined ? [] : [key.keyId]));
    expect(ids.length).toBeGreaterThanOrEqual(3);
    expect(new Set(ids).size).toBe(ids.length);
    await expect(fromWorkerToken(`${token}\0`)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

it("nobody learns from the refusal what the right signature is", async () => {
  const { place, root, seal } = await sealed();
  const error = await refusal(place.residency.verify({ ...seal, mac: base64(Buffer.alloc(32)) }));
  const right = macOf(root, Buffer.from(seal.statement, "base64"));
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    expect(inspect(each)).not.toContain(right);
  }
});
