import { setTimeout as delay } from "node:timers/promises";
import { generate } from "vram-seal";
import { flipBit, hashNatively, setPointerAttribute, simulatorStats } from "vram-simulator/control";
import { describe, expect, vi } from "vitest";
import { bufferIdOf, deferred, eventsOfType, itWithFaults, openWorkplace, patternBytes, refusal, watchedKey } from "./fixture.js";

const MIB = 1 << 20;
/** CU_POINTER_ATTRIBUTE_IS_MANAGED. */
const IS_MANAGED = 8;

describe("a scrub", () => {
  itWithFaults("verifies every range of every shard in each pass, and tells how far it is", async () => {
    const place = await openWorkplace();
    hashNatively(true);
    const shards = [await place.residency.seal(patternBytes(20_000), { shardId: "a" }), await place.residency.seal(patternBytes(9000), { shardId: "b" })];
    const scrubber = place.residency.startScrub({ periodMs: 20, rangeBytes: 4096 });
    await vi.waitFor(() => { expect(scrubber.progress.map(({ passes }) => passes > 1)).toEqual([true, true]); }, 5000);
    await scrubber.close();
    expect(scrubber.progress.map(({ shardId, totalBytes }) => [shardId, totalBytes])).toEqual(shards.map(({ shardId, vramBytes }) => [shardId, vramBytes]));
    const events = await eventsOfType(place, "vram.shard.scrubbed");
    expect(events.slice(0, 2).map(({ data }) => data)).toEqual(
      expect.arrayContaining([expect.objectContaining({ shardId: "a", ranges: 5, digest: shards[0]?.digest }), expect.objectContaining({ shardId: "b", ranges: 3 })]),
    );
    expect(place.residency.state).toBe("ready");
  });

  itWithFaults("finds a flipped bit that nobody asks for, names the block, and the worker stops", async () => {
    const place = await openWorkplace();
    hashNatively(true);
    const shard = await place.residency.seal(patternBytes(40_000));
    const scrubber = place.residency.startScrub({ periodMs: 30, rangeBytes: 4096 });
    flipBit({ bufferId: bufferIdOf(shard), byteOffset: 30_000 });
    await vi.waitFor(() => { expect(place.residency.signal.aborted).toBe(true); }, 5000);
    await scrubber.close();
    expect(place.residency.signal.reason).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { damage: { blocks: [{ index: 7, singleBit: true }] } } });
    expect(() => place.residency.startScrub()).toThrow("stopped");
  });

  itWithFaults("looks where shards lie also while their ranges are far from due", async () => {
    const { residency } = await openWorkplace();
    await residency.seal(patternBytes(9000));
    const scrubber = residency.startScrub({ periodMs: 3_600_000, placementIntervalMs: 20 });
    await vi.waitFor(() => { expect(scrubber.progress).toHaveLength(1); });
    await delay(50);
    expect(residency.state).toBe("ready");
    setPointerAttribute(IS_MANAGED, 1);
    await vi.waitFor(() => { expect(residency.state).toBe("stopped"); }, 5000);
    expect(residency.signal.reason).toMatchObject({ details: { reason: "placement", rules: ["not-managed"] } });
  });

  itWithFaults("says that it is too late for its period where the budget is too small for both", async () => {
    const { residency } = await openWorkplace();
    hashNatively(true);
    await residency.seal(patternBytes(MIB));
    const scrubber = residency.startScrub({ periodMs: 1, bytesPerSecond: 2 * MIB, rangeBytes: 65_536 });
    expect(scrubber.isOnTime).toBe(true);
    await vi.waitFor(() => { expect(scrubber.isOnTime).toBe(false); }, 5000);
    expect(scrubber.progress[0]?.passes).toBeGreaterThan(0);
  });

  itWithFaults("that meets an error nobody foresaw stops the worker", async () => {
    let scrubs = false;
    const sealKey = watchedKey(await generate(), () => { if (scrubs) throw new TypeError("unforeseen"); });
    const { residency } = await openWorkplace({ sealKey });
    await residency.seal(patternBytes(9000));
    scrubs = true;
    residency.startScrub({ periodMs: 10, placementIntervalMs: Number.MAX_SAFE_INTEGER });
    await vi.waitFor(() => { expect(residency.signal.aborted).toBe(true); }, 5000);
    expect(residency.signal.reason).toMatchObject({ code: "STOPPED" });
  });

  itWithFaults("begins no range while an execution runs, if asked to pause", async () => {
    const { residency } = await openWorkplace();
    hashNatively(true);
    const shard = await residency.seal(patternBytes(20_000));
    const [started, ended] = [deferred(), deferred()];
    const execution = residency.execute(shard, async () => { started.resolve(); await ended.promise; });
    await started.promise;
    const scrubber = residency.startScrub({ periodMs: 5, rangeBytes: 4096, pauseDuring: ["seal", "execute"] });
    await delay(60);
    expect(scrubber.progress[0]?.doneBytes ?? 0).toBe(0);
    ended.resolve();
    await execution;
    await vi.waitFor(() => { expect(scrubber.progress[0]?.passes).toBeGreaterThan(0); }, 5000);
  });

  itWithFaults("takes up what is sealed later, leaves what is released, and ends with its residency", async () => {
    const { residency } = await openWorkplace();
    hashNatively(true);
    const scrubber = residency.startScrub({ periodMs: 10, rangeBytes: 4096 });
    const shard = await residency.seal(patternBytes(9000), { shardId: "later" });
    await vi.waitFor(() => { expect(scrubber.progress[0]?.passes).toBeGreaterThan(0); }, 5000);
    await shard.close();
    await vi.waitFor(() => { expect(scrubber.progress).toEqual([]); }, 5000);
    await residency.close();
    await scrubber.close();
    expect(simulatorStats().allocatedBytes).toBe(0);
  });

  itWithFaults.each([
    { periodMs: 0 },
    { bytesPerSecond: 0 },
    { shareOfTime: 0 },
    { shareOfTime: 1.1 },
    { rangeBytes: 4097 },
    { placementIntervalMs: -1 },
    { pauseDuring: ["load"] },
    { other: 1 },
  ])("refuses %j", async (options) => {
    const { residency } = await openWorkplace();
    const error = await refusal(Promise.resolve().then(() => residency.startScrub(options as object)));
    expect(error.code).toBe("INVALID_INPUT");
  });
});
