import { describe, expect, it, vi } from "vitest";
import { flipBit, simulatorStats } from "vram-simulator/control";
import { bufferIdOf, deferred, eventTypes, openWorkplace, patternBytes, refusal } from "./fixture.js";

const MODEL_BYTES = 5 * 4096 + 100;

describe("execute", () => {
  it("verifies, runs fn on a lease and resolves to its result", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(MODEL_BYTES));
    const result = await place.residency.execute(shard, (lease) => lease.tensors.get("")?.byteLength);
    expect(result).toBe(MODEL_BYTES);
    expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.shard.sealed", "vram.shard.verified"]);
  });

  it("CI-007 TT-1 test_digest_reverification launches the digest kernel before every execute", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(MODEL_BYTES));
    const launches = () => simulatorStats().calls["cuLaunchKernel"] ?? 0;
    for (let round = 0; round < 3; round += 1) {
      const before = launches();
      const inside = await residency.execute(shard, launches);
      expect(inside).toBeGreaterThan(before);
    }
  });

  it.each([
    ["the first byte", 0],
    ["the middle", MODEL_BYTES >> 1],
    ["the last byte", MODEL_BYTES - 1],
  ])("CI-007 WORKER-4122 WORKER-4161 refuses one flipped bit at %s, never calls fn and stops", async (_, byteOffset) => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(MODEL_BYTES), { shardId: "hit" });
    flipBit({ bufferId: bufferIdOf(shard), byteOffset, bit: byteOffset % 8 });

    const fn = vi.fn();
    const error = await refusal(place.residency.execute(shard, fn));
    expect(error).toMatchObject({
      code: "SEAL_VERIFICATION_FAILED",
      kind: "fatal",
      details: { reason: "digest", expectedDigest: shard.digest },
    });
    expect(fn).not.toHaveBeenCalled();
    expect(place.residency.state).toBe("stopped");
    expect(place.residency.signal.reason).toMatchObject({ code: "SEAL_VERIFICATION_FAILED" });
    const events = await place.events();
    expect(events.filter(({ type }) => type === "vram.seal.verification_failed")).toMatchObject([
      { severity: "critical", data: { shardId: "hit", reason: "digest", expectedDigest: shard.digest } },
    ]);
    for (const refused of [place.residency.execute(shard, fn), place.residency.verify(shard), place.residency.seal(Buffer.alloc(1))]) {
      expect(await refusal(refused)).toMatchObject({ code: "STOPPED" });
    }
    await shard.close();
    expect(simulatorStats().freed.at(-1)).toMatchObject({ zeroed: true });
  });

  it("passes an error of fn through unchanged and stays ready", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(10));
    const mine = new TypeError("mine");
    await expect(residency.execute(shard, () => Promise.reject(mine))).rejects.toBe(mine);
    expect(residency.state).toBe("ready");
  });

  it("release waits for the execution that holds the shard", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(10));
    const order: string[] = [];
    const started = deferred();
    const finish = deferred();
    const running = residency.execute(shard, async () => {
      started.resolve();
      await finish.promise;
      order.push("executed");
    });
    await started.promise;
    const closing = shard.close().then(() => order.push("closed"));
    expect(shard.sealed).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(order).toEqual([]);
    finish.resolve();
    await Promise.all([running, closing]);
    expect(order).toEqual(["executed", "closed"]);
  });

  it("many executions of one shard at once are all verified, and none runs after a bit flipped", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(MODEL_BYTES));
    const many = (fn: () => void) => Promise.allSettled([1, 2, 3, 4, 5].map(() => place.residency.execute(shard, fn)));
    const fn = vi.fn();
    expect((await many(fn)).every(({ status }) => status === "fulfilled")).toBe(true);
    expect(fn).toHaveBeenCalledTimes(5);
    flipBit({ bufferId: bufferIdOf(shard), byteOffset: 1 });
    const results = await many(fn);
    expect(fn).toHaveBeenCalledTimes(5);
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  });

  it("refuses close() inside fn instead of waiting for itself", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(10));
    const errors = await residency.execute(shard, async () => [await refusal(shard.close()), await refusal(residency.close())]);
    expect(errors).toMatchObject([{ code: "INVALID_INPUT" }, { code: "INVALID_INPUT" }]);
    expect(shard.sealed).toBe(true);
  });

  it("TT-2 test_stale_digest_rejected a released shard never verifies again, also when its id and memory are used again", async () => {
    const { residency } = await openWorkplace();
    const bytes = patternBytes(MODEL_BYTES);
    const old = await residency.seal(bytes, { shardId: "again" });
    await old.close();
    const fresh = await residency.seal(bytes, { shardId: "again" });
    const fn = vi.fn();
    expect(await refusal(residency.execute(old, fn))).toMatchObject({ code: "NOT_SEALED", kind: "caller" });
    expect(fn).not.toHaveBeenCalled();
    await residency.verify(fresh);
  });

  it.each([
    ["no shards", []],
    ["undefined", undefined],
    ["a number", 5],
  ])("refuses %s", async (_, shards) => {
    const { residency } = await openWorkplace();
    const error = await refusal(residency.execute(shards as never, () => undefined));
    expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    expect(residency.state).toBe("ready");
  });
});
