import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { openAuditLog } from "vram-audit";
import { generate } from "vram-seal";
import { describe, expect, it, onTestFinished } from "vitest";
import { openResidency } from "../src/index.js";
import { AUDITED_CHANNEL, operationChannel } from "../src/telemetry/channels.js";
import type { AuditedMessage, OperationMessage } from "../src/telemetry/channels.js";
import { backend, eventTypes, openWorkplace, patternBytes, refusal, temporaryFolder, until } from "./fixture.js";

const bytes = patternBytes(9000);
const other = { fsverity: "0".repeat(64) };

const silent = (): void => undefined;

/** Every operation that ended while the test runs, oldest first, innermost before what it is part of. */
function listenToOperations(): OperationMessage[] {
  const ended: OperationMessage[] = [];
  const subscribers = { start: silent, end: silent, asyncStart: silent, asyncEnd: (message: object) => void ended.push(message as OperationMessage), error: silent };
  operationChannel.subscribe(subscribers);
  onTestFinished(() => {
    operationChannel.unsubscribe(subscribers);
  });
  return ended;
}

function listenToTrail(): AuditedMessage[] {
  const told: AuditedMessage[] = [];
  const listener = (message: unknown): void => void told.push(message as AuditedMessage);
  subscribe(AUDITED_CHANNEL, listener);
  onTestFinished(() => {
    unsubscribe(AUDITED_CHANNEL, listener);
  });
  return told;
}

const namesOf = (messages: readonly OperationMessage[]): string[] => messages.map(({ name }) => name);

describe("who listens hears of every operation and its parts", () => {
  it("from opening to release", async () => {
    const ended = listenToOperations();
    const { residency } = await openWorkplace();
    expect(ended).toMatchObject([{ name: "open", result: residency, attributes: { "vram.worker.id": "worker-test" } }]);
    const heard = async (operation: () => Promise<unknown>): Promise<string[]> => {
      ended.length = 0;
      await operation();
      return namesOf(ended);
    };
    const shard = await residency.seal(bytes, { shardId: "s" });
    expect(namesOf(ended)).toEqual(["open", "load", "freeze", "digest", "sign", "seal"]);
    const { uuid } = residency.devices[0] ?? {};
    expect(ended[3]?.attributes).toEqual({ "vram.shard.id": "s", "vram.bytes": 9000, "vram.gpu.uuid": uuid });
    expect(await heard(() => residency.verify(shard))).toEqual(["digest", "verify"]);
    expect(await heard(() => residency.verify(shard, { range: { offset: 0, byteLength: 5 } }))).toEqual(["digest", "verify"]);
    expect(ended[0]?.attributes["vram.bytes"]).toBe(5);
    expect(await heard(() => residency.execute(shard, () => undefined))).toEqual(["digest", "verify", "execute"]);
    expect(await heard(() => residency.attest(shard, { nonce: new Uint8Array(16) }))).toEqual(["digest", "verify", "attest"]);
    const { keyId } = JSON.parse(Buffer.from(shard.seal.statement, "base64").toString()) as { keyId: string };
    expect(await heard(async () => residency.rotateSealKey(await generate()))).toEqual(["rotate_key"]);
    expect(await heard(() => residency.reseal(shard))).toEqual(["digest", "verify", "reseal"]);
    expect(await heard(() => residency.retireSealKey(keyId))).toEqual(["retire_key"]);
    expect(await heard(() => shard.close())).toEqual(["release"]);
  });

  it("of a range that a scrub verifies", async () => {
    const ended = listenToOperations();
    const { residency } = await openWorkplace();
    await residency.seal(bytes);
    ended.length = 0;
    const scrubber = residency.startScrub({ periodMs: 1, rangeBytes: 8192 });
    await until(() => namesOf(ended).includes("scrub"));
    await scrubber.close();
    expect([8192, 808]).toContain(ended.find(({ name }) => name === "scrub")?.attributes["vram.bytes"]);
  });

  it("with the id that the trail has", async () => {
    const ended = listenToOperations();
    const { residency } = await openWorkplace();
    await residency.seal(bytes, { correlationId: "request:7" });
    expect(ended.slice(1).map(({ correlationId }) => correlationId)).toEqual(["load", "freeze", "digest", "sign", "seal"].map(() => "request:7"));
  });

  it("with the error in which it ended, also that of the caller's fn", async () => {
    const ended = listenToOperations();
    const { residency } = await openWorkplace();
    const error = await refusal(residency.seal(bytes, { expect: other }));
    expect(ended.at(-1)).toMatchObject({ name: "seal", error });
    expect(namesOf(ended)).toContain("release");
    const shard = await residency.seal(bytes);
    const own = new Error("own");
    await expect(residency.execute(shard, () => Promise.reject(own))).rejects.toBe(own);
    expect(ended.at(-1)).toMatchObject({ name: "execute", error: own });
  });
});

describe("who listens to the trail", () => {
  it("hears of every event once, when it is durable, with how long that took", async () => {
    const told = listenToTrail();
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    await refusal(place.residency.seal(bytes, { expect: other }));
    await shard.close();
    expect(told.map(({ event: { type } }) => type)).toEqual(await eventTypes(place));
    expect(told.every(({ durationMs, error }) => durationMs > 0 && error === undefined)).toBe(true);
  });

  it("hears of one that the trail did not take", async () => {
    const told = listenToTrail();
    const audit = await openAuditLog({ dir: `${await temporaryFolder()}/audit` });
    const { residency } = await openWorkplace({ audit });
    await audit.close();
    const { code } = await refusal(residency.seal(bytes));
    expect(code).toBe("AUDIT_UNAVAILABLE");
    expect(told.find(({ event: { type } }) => type === "vram.shard.sealed")).toMatchObject({ error: { code: "AUDIT_UNAVAILABLE" } });
  });

  it("hears of a violation for which no residency opened", async () => {
    const told = listenToTrail();
    const audit = await openAuditLog({ dir: `${await temporaryFolder()}/audit` });
    const policy = { ...backend.policy, allowBackends: ["custom" as const] };
    await refusal(openResidency({ ...backend, policy, workerId: "w", sealKey: await generate(), audit }));
    expect(told.map(({ event: { type } }) => type)).toEqual(["vram.policy.violation"]);
  });
});

describe("what a residency tells of itself", () => {
  it("says of each shard how it stands, and since when it was good", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(bytes, { shardId: "s", expect: { fsverity: (await residency.seal(bytes)).digest } });
    const [first, second] = residency.shards;
    expect(first).toMatchObject({ expected: false, state: "sealed", scrub: null });
    expect(second).toEqual({ ...shard.toJSON(), keyId: expect.stringMatching(/^[0-9a-f]{16}$/) as string, expected: true, state: "sealed", verifiedAt: shard.toJSON().sealedAt, scrub: null });
    const { verifiedAt } = await residency.verify(shard);
    expect(residency.shards[1]?.verifiedAt).toBe(verifiedAt);
    const scrubber = residency.startScrub({ periodMs: 20, rangeBytes: 4096 });
    await until(() => (residency.shards[1]?.scrub?.passes ?? 0) > 1);
    const { scrub, verifiedAt: scrubbedAt = "" } = residency.shards[1] ?? {};
    expect(scrub).toMatchObject({ totalBytes: 9000 });
    expect([scrubbedAt > verifiedAt, scrubbedAt <= (scrub?.lastPassAt ?? "")]).toEqual([true, true]);
    await scrubber.close();
    expect(residency.shards[1]?.scrub).toBeNull();
    await shard.close();
    expect(residency.shards).toHaveLength(1);
  });

  it("says what the policy found, where the trail stands, and who it is", async () => {
    const { residency } = await openWorkplace();
    const { seal } = await residency.seal(bytes);
    const statement = JSON.parse(Buffer.from(seal.statement, "base64").toString()) as object;
    const { workerId, instanceId, backend: kind } = residency;
    expect(statement).toMatchObject({ workerId, instanceId, backend: kind });
    expect(residency.policy).toEqual([{ gpuDevice: 0, gpuUuid: residency.devices[0]?.uuid, rules: expect.arrayContaining([expect.objectContaining({ rule: "seal-key-locked", verdict: "pass" })]) as unknown }]);
    expect(residency.auditTrail).toMatchObject({ state: "open", size: 3, anchors: [], mirrorDropped: 0 });
  });
});
