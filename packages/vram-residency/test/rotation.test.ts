import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import { generate } from "vram-seal";
import type { SealKey } from "vram-seal";
import { flipBit, simulatorStats } from "vram-simulator/control";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Seal, SealStatement, SealedShard } from "../src/index.js";
import { backend, bufferIdOf, deferred, eventTypes, eventsOfType, itWithFaults, lockedKey, openWorkplace, patternBytes, refusal, temporaryFolder, watchedKey } from "./fixture.js";

const BYTES = patternBytes(5000);

const statementOf = ({ statement }: Seal): SealStatement => JSON.parse(Buffer.from(statement, "base64").toString()) as SealStatement;
const keyIdOf = ({ seal }: SealedShard): string => statementOf(seal).keyId;

/** A worker with a shard sealed by its first key, and a second key that signs by now. */
async function rotated() {
  const [first, second] = await Promise.all([generate(), generate()]);
  const place = await openWorkplace({ sealKey: first });
  const shard = await place.residency.seal(BYTES);
  await place.residency.rotateSealKey(second);
  return { ...place, place, first, second, shard };
}

async function expectClosed(key: SealKey): Promise<void> {
  await expect(key.mac("0".repeat(32), BYTES)).rejects.toMatchObject({ code: "KEY_UNAVAILABLE" });
}

describe("rotation of the seal key", () => {
  it("lets the new key sign, and the one before verify what it signed", async () => {
    const { residency, place, first, second, shard } = await rotated();
    const newer = await residency.seal(BYTES);
    expect([keyIdOf(shard), keyIdOf(newer)]).toEqual([first.keyId, second.keyId]);
    for (const target of [shard, newer, shard.seal, newer.seal]) await residency.verify(target);
    await residency.execute([shard, newer], () => undefined);
    const [event] = await eventsOfType(place, "vram.key.rotated");
    expect(event).toMatchObject({ severity: "info", data: { keyId: second.keyId, keyLocked: second.locked, previousKeyId: first.keyId } });
  });

  it("seals a shard anew without loading it, after verifying it, and its seal before is refused", async () => {
    const { residency, place, first, second, shard } = await rotated();
    const before = shard.seal;
    await residency.reseal(shard);
    expect(keyIdOf(shard)).toBe(second.keyId);
    const { sealedAt } = statementOf(shard.seal);
    expect(statementOf(shard.seal)).toEqual({ ...statementOf(before), keyId: second.keyId, sealSequence: 2, sealedAt });
    await residency.verify(shard);
    await residency.verify(shard.seal);
    expect((await eventTypes(place)).slice(2, 5)).toEqual(["vram.key.rotated", "vram.shard.verified", "vram.shard.resealed"]);
    const [event] = await eventsOfType(place, "vram.shard.resealed");
    expect(event?.data).toEqual({
      shardId: shard.shardId,
      digest: shard.digest,
      keyId: second.keyId,
      keyLocked: second.locked,
      sealSequence: statementOf(shard.seal).sealSequence,
      previousKeyId: first.keyId,
      previousSealSequence: statementOf(before).sealSequence,
    });
    expect(await refusal(residency.verify(before))).toMatchObject({ details: { reason: "unknown_shard" } });
    expect(residency.state).toBe("stopped");
  });

  itWithFaults("copies nothing to the device for a new seal", async () => {
    const { residency, shard } = await rotated();
    const copies = simulatorStats().calls["cuMemcpyHtoDAsync_v2"];
    await residency.reseal(shard);
    expect(simulatorStats().calls["cuMemcpyHtoDAsync_v2"]).toBe(copies);
  });

  itWithFaults("does not sign bytes that have changed", async () => {
    const { residency, place, shard } = await rotated();
    const { seal } = shard;
    flipBit({ bufferId: bufferIdOf(shard), byteOffset: 4999, bit: 0 });
    expect(await refusal(residency.reseal(shard))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "digest" } });
    expect(shard.seal).toBe(seal);
    expect(await eventTypes(place)).not.toContain("vram.shard.resealed");
  });

  it("a key that can sign no more leaves the seal as it was", async () => {
    const { residency, first, shard } = await rotated();
    const { seal } = shard;
    const third = await generate();
    await residency.rotateSealKey(third);
    await third.close();
    expect(await refusal(residency.reseal(shard))).toMatchObject({ code: "KEY_UNAVAILABLE" });
    expect(shard.seal).toBe(seal);
    expect(keyIdOf(shard)).toBe(first.keyId);
  });

  it("is not retired while somebody holds a shard of it that is on its way out", async () => {
    const { residency, first, shard } = await rotated();
    const [started, end] = [deferred(), deferred()];
    const execution = residency.execute(shard, () => {
      started.resolve();
      return end.promise;
    });
    await started.promise;
    const closing = shard.close();
    expect(shard.sealed).toBe(false);
    expect(await refusal(residency.retireSealKey(first.keyId))).toMatchObject({ code: "INVALID_INPUT" });
    end.resolve();
    await Promise.all([execution, closing]);
    await residency.retireSealKey(first.keyId);
  });

  it("an attestation names the seals that were verified", async () => {
    const { residency, shard } = await rotated();
    const other = await residency.seal(BYTES);
    const [envelope] = await Promise.all([residency.attest([shard, other], { nonce: Buffer.alloc(32, 1) }), residency.reseal(shard)]);
    const { predicate } = JSON.parse(Buffer.from((JSON.parse(envelope) as { payload: string }).payload, "base64").toString()) as {
      predicate: { shards: { sealedAt: string; verifiedAt: string }[] };
    };
    for (const { sealedAt, verifiedAt } of predicate.shards) expect(Date.parse(sealedAt)).toBeLessThanOrEqual(Date.parse(verifiedAt));
  });

  it("of two new seals at once the later one counts", async () => {
    const { residency, shard } = await rotated();
    await Promise.all([residency.reseal(shard), residency.reseal(shard)]);
    expect(statementOf(shard.seal).sealSequence).toBe(3);
    await residency.verify(shard.seal);
  });
});

describe("a retired seal key", () => {
  it("is closed, and what it signed is refused", async () => {
    const { residency, place, first, shard } = await rotated();
    const { seal } = shard;
    await residency.reseal(shard);
    await residency.retireSealKey(first.keyId);
    await expectClosed(first);
    expect((await eventsOfType(place, "vram.key.retired"))[0]?.data).toEqual({ keyId: first.keyId });
    await residency.verify(shard);
    expect(await refusal(residency.verify(seal))).toMatchObject({ details: { reason: "mac" } });
  });

  const others: readonly (readonly [string, (opened: Awaited<ReturnType<typeof rotated>>) => unknown])[] = [
    ["the key that signs", ({ second }) => second.keyId],
    ["the key of a live shard", ({ first }) => first.keyId],
    ["no key of this residency", () => "0123456789abcdef"],
    ["no text", () => undefined],
  ];
  it.each(others)("is not %s", async (_, choose) => {
    const opened = await rotated();
    const error = await refusal(opened.residency.retireSealKey(choose(opened) as string));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "keyId" } });
    expect(opened.residency.state).toBe("ready");
    await opened.residency.verify(opened.shard);
  });

  it("is not one with which a seal is being made", async () => {
    const { residency } = await rotated();
    const retirements: unknown[] = [];
    let isSealing = false;
    const third = await generate();
    const slow = watchedKey(third, async () => {
      if (!isSealing) return;
      isSealing = false;
      await residency.rotateSealKey(await generate());
      retirements.push(await refusal(residency.retireSealKey(third.keyId)));
    });
    await residency.rotateSealKey(slow);
    isSealing = true;
    const shard = await residency.seal(BYTES);
    expect(retirements).toMatchObject([{ code: "INVALID_INPUT", details: { argument: "keyId" } }]);
    expect(keyIdOf(shard)).toBe(third.keyId);
    await residency.verify(shard);
    await shard.close();
    await residency.retireSealKey(third.keyId);
  });
});

describe("a key that is handed over", () => {
  it("is closed with the residency, as are all before it", async () => {
    const { residency, first, second } = await rotated();
    await residency.close();
    await expectClosed(first);
    await expectClosed(second);
  });

  it.each([
    ["a key that is there already", (key: SealKey) => key],
    ["no key", () => ({})],
    ["a key without a name", () => ({ mac: () => undefined, verify: () => undefined, close: () => undefined })],
    ["nothing", () => undefined],
  ])("is not %s", async (_, choose) => {
    const { residency, first, shard } = await rotated();
    const error = await refusal(residency.rotateSealKey(choose(first) as SealKey));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument: "key" } });
    await residency.verify(shard);
  });

  it("CI-006 is not an unlocked one where the policy wants a locked one, and the key before goes on signing", async () => {
    const place = await openWorkplace({ sealKey: lockedKey(await generate(), true), policy: { ...backend.policy, requireLockedKey: true } });
    const { residency } = place;
    const error = await refusal(residency.rotateSealKey(lockedKey(await generate(), false)));
    expect(error).toMatchObject({ code: "POLICY_VIOLATION", details: { violations: [{ rule: "seal-key-locked" }] } });
    const [event] = await eventsOfType(place, "vram.policy.violation");
    expect(event).toMatchObject({ severity: "critical", data: { stage: "rotate", violations: [{ rule: "seal-key-locked" }] } });
    await residency.verify(await residency.seal(BYTES));
    await residency.rotateSealKey(lockedKey(await generate(), true));
  });

  it.each<[string, Partial<SealKey>]>([
    ["signs nothing", { mac: () => Promise.resolve(new Uint8Array()) }],
    ["refuses what it signed", { verify: () => Promise.resolve(false) }],
    ["takes everything for its own", { verify: () => Promise.resolve(true) }],
    ["does not tell", { verify: () => Promise.resolve(undefined as never) }],
  ])("is not one that %s, when it is rotated in or a residency is opened", async (_, change) => {
    const useless = { ...watchedKey(await generate(), () => undefined), ...change };
    const unusable = { code: "KEY_UNAVAILABLE", details: { reason: "unusable" } };
    const { residency, shard } = await rotated();
    expect(await refusal(residency.rotateSealKey(useless))).toMatchObject(unusable);
    await residency.verify(shard);
    expect(await refusal(openWorkplace({ sealKey: useless }))).toMatchObject(unusable);
  });

  it("CI-006 says of itself what it said when it was handed over", async () => {
    let locked = true;
    const key = Object.defineProperty({ ...watchedKey(await generate(), () => undefined) }, "locked", { get: () => locked });
    const { residency } = await openWorkplace({ sealKey: key, policy: { ...backend.policy, requireLockedKey: true } });
    locked = false;
    const { seal } = await residency.seal(BYTES);
    expect(statementOf(seal).keyLocked).toBe(true);
  });

  it("is not one that cannot sign", async () => {
    const { residency, second, shard } = await rotated();
    const closed = await generate();
    await closed.close();
    expect(await refusal(residency.rotateSealKey(closed))).toMatchObject({ code: "KEY_UNAVAILABLE" });
    await residency.reseal(shard);
    expect(keyIdOf(shard)).toBe(second.keyId);
  });

  it("signs nothing where the rotation is not in the trail", async () => {
    const folder = await temporaryFolder();
    const audit = await openAuditLog({ dir: join(folder, "audit") });
    const { residency } = await openWorkplace({ audit });
    const next = await generate();
    onTestFinished(() => next.close());
    await audit.close();
    expect(await refusal(residency.rotateSealKey(next))).toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    expect(residency.state).toBe("stopped");
    await expect(next.mac("0".repeat(32), BYTES)).resolves.toHaveLength(32);
  });
});
