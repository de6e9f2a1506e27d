import { describe, expect, it } from "vitest";
import { fsverityDigest } from "vram-seal";
import { simulatorStats } from "vram-simulator/control";
import { eventTypes, openWorkplace, patternBytes, refusal } from "./fixture.js";

const MODEL_BYTES = 3 * 4096 + 17;

describe("seal", () => {
  it("WORKER-4110 WORKER-4113 seals a file and records what it sealed", async () => {
    const place = await openWorkplace();
    const bytes = patternBytes(MODEL_BYTES);
    const shard = await place.residency.seal(await place.model(bytes), { shardId: "m-0", modelRef: "test:m" });

    expect(shard.toJSON()).toMatchObject({
      shardId: "m-0",
      modelRef: "test:m",
      gpuDevice: 0,
      backend: "simulator",
      vramBytes: MODEL_BYTES,
      digest: fsverityDigest(bytes),
      digestAlgorithm: "fsverity-sha256-4096",
      sealed: true,
    });
    expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.shard.sealed"]);
  });

  it.each([1, 4095, 4096, 4097, 128 * 4096, 128 * 4096 + 1])(
    "CI-004 the digest of %i bytes in device memory is the file's fs-verity digest",
    async (byteLength) => {
      const { residency } = await openWorkplace();
      const bytes = patternBytes(byteLength);
      const shard = await residency.seal(bytes);
      expect(shard.digest).toBe(fsverityDigest(bytes));
    },
  );

  it("seals the same bytes from a path, a file URL, memory and a stream to one digest", async () => {
    const place = await openWorkplace();
    const bytes = patternBytes(MODEL_BYTES);
    const path = await place.model(bytes);
    async function* chunks() {
      for (let offset = 0; offset < bytes.length; offset += 1000) {
        await Promise.resolve();
        yield bytes.subarray(offset, offset + 1000);
      }
    }
    const stream = Object.assign(chunks(), { byteLength: bytes.length });
    const sources = [path, new URL(`file://${path}`), bytes, stream];
    const shards = await Promise.all(sources.map((source) => place.residency.seal(source)));
    expect(new Set(shards.map(({ digest }) => digest))).toEqual(new Set([fsverityDigest(bytes)]));
    expect(new Set(shards.map(({ shardId }) => shardId)).size).toBe(sources.length);
  });

  it("reports progress of both phases up to the whole", async () => {
    const place = await openWorkplace();
    const last = new Map<string, number>();
    await place.residency.seal(await place.model(patternBytes(MODEL_BYTES)), {
      onProgress: ({ phase, doneBytes, totalBytes }) => last.set(phase, doneBytes / totalBytes),
    });
    expect(Object.fromEntries(last)).toEqual({ load: 1, digest: 1 });
  });

  it("RP-005 WORKER-4162 test_deallocation_audited releases wiped, with an event, and close is idempotent", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(MODEL_BYTES), { shardId: "gone" });
    await Promise.all([shard.close(), shard.close()]);
    await shard.close();

    expect(shard.sealed).toBe(false);
    const events = await place.events();
    expect(events.filter(({ type }) => type === "vram.shard.deallocated")).toMatchObject([
      { data: { shardId: "gone", wiped: true, lost: false, cause: "released" } },
    ]);
    expect(simulatorStats().freed.at(-1)).toMatchObject({ zeroed: true });
    expect(place.residency.capacity().usedBytes).toBe(0);
  });

  it("refuses the id of a live shard and frees it after release", async () => {
    const { residency } = await openWorkplace();
    const first = await residency.seal(patternBytes(10), { shardId: "one" });
    const error = await refusal(residency.seal(patternBytes(10), { shardId: "one" }));
    expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    await first.close();
    await expect(residency.seal(patternBytes(10), { shardId: "one" })).resolves.toMatchObject({ shardId: "one" });
  });

  it("VP-004 RP-004 WORKER-4153 test_insufficient_vram refuses with both numbers and one event", async () => {
    const place = await openWorkplace({}, { devices: [{ memoryBytes: 64 << 20 }] });
    const error = await refusal(place.residency.seal(Buffer.alloc(80 << 20)));
    expect(error).toMatchObject({ code: "INSUFFICIENT_VRAM", kind: "retriable" });
    expect(error.details).toMatchObject({ neededBytes: 80 << 20 });
    expect(error.details["availableBytes"]).toBeLessThan(64 << 20);
    expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.allocation.failed"]);
    expect(place.residency.state).toBe("ready");
  });

  it("IV-001 RP-003 test_max_model_size_enforced test_configurable_limits refuses a model over the limit before it allocates", async () => {
    const place = await openWorkplace({ limits: { maxModelBytes: 4096 } });
    const before = simulatorStats().calls["cuMemCreate"];
    const error = await refusal(place.residency.seal(patternBytes(4097)));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { maxModelBytes: 4096 } });
    expect(simulatorStats().calls["cuMemCreate"]).toBe(before);
    await place.residency.seal(patternBytes(4096));
  });
});
