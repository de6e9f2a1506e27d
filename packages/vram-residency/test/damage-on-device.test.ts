import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { backend, eventsOfType, flipSealedBit, openWorkplace, patternBytes, refusal } from "./fixture.js";
import { safetensors } from "./safetensors.js";

const BLOCK_BYTES = 4096;
const TENSOR_BYTES = 16 * BLOCK_BYTES;
const image = safetensors({
  first: { dtype: "U8", shape: [TENSOR_BYTES], data: patternBytes(TENSOR_BYTES) },
  second: { dtype: "U8", shape: [TENSOR_BYTES], data: patternBytes(TENSOR_BYTES) },
});
const flippedByte = image.length - 10 * BLOCK_BYTES;
const damage = { blockCount: 1, blocks: [{ index: Math.floor(flippedByte / BLOCK_BYTES), singleBit: true, tensors: ["second"] }] };

describe("a bit that another engine of the process flips", () => {
  it("is told by block and tensor", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(image, { format: "safetensors" });
    await flipSealedBit(place.residency, shard, flippedByte);
    expect((await refusal(place.residency.verify(shard))).details).toMatchObject({ reason: "digest", damage });
    expect(await eventsOfType(place, "vram.seal.verification_failed")).toMatchObject([{ data: { damage } }]);
  });

  it("is repaired from the file where the policy allows it", async () => {
    const place = await openWorkplace({ policy: { ...backend.policy, allowRepair: true, afterRepair: "continue" } });
    const shard = await place.residency.seal(await place.model(image));
    await flipSealedBit(place.residency, shard, flippedByte);
    expect((await refusal(place.residency.verify(shard))).details).toMatchObject({ repaired: true });
    expect((await place.residency.verify(shard)).digest).toBe(shard.digest);
    expect(await eventsOfType(place, "vram.shard.repaired")).toMatchObject([{ data: { blocks: 1 } }]);
  });

  it("is found by a scrub that nobody asked", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(image, { format: "safetensors" });
    await flipSealedBit(residency, shard, flippedByte);
    const stopped = once(residency.signal, "abort");
    await using scrubber = residency.startScrub({ periodMs: 100, rangeBytes: 8 * BLOCK_BYTES });
    await Promise.all([stopped, scrubber.ended]);
    expect(residency.signal.reason).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { damage } });
  });
});
