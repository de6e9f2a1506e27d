import { describe, expect, it } from "vitest";
import { fsverityDigest } from "vram-seal";
import { backendName, openWorkplace, patternBytes, refusal, warningsWhile } from "./fixture.js";

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
      backend: backendName,
      vramBytes: MODEL_BYTES,
      digest: fsverityDigest(bytes),
      digestAlgorithm: "fsverity-sha256-4096",
      sealed: true,
    });
  });

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

  it("many at once do not pile up listeners", async () => {
    const { residency } = await openWorkplace();
    expect(await warningsWhile(() => Promise.all(Array.from({ length: 20 }, () => residency.seal(patternBytes(10)))))).toEqual([]);
  });

  it("refuses the id of a live shard and frees it after release", async () => {
    const { residency } = await openWorkplace();
    const first = await residency.seal(patternBytes(10), { shardId: "one" });
    const error = await refusal(residency.seal(patternBytes(10), { shardId: "one" }));
    expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
    await first.close();
    await expect(residency.seal(patternBytes(10), { shardId: "one" })).resolves.toMatchObject({ shardId: "one" });
  });

});
