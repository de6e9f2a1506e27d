import { randomBytes, randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { flipBit, hashNatively } from "vram-simulator/control";
import { describe, expect } from "vitest";
import type { Residency, SealedShard, VramErrorDetails } from "../src/index.js";
import { backend, bufferIdOf, eventTypes, eventsOfType, itWithFaults, openWorkplace, patternBytes, refusal } from "./fixture.js";
import { safetensors } from "./safetensors.js";

const BLOCK_BYTES = 4096;
const TENSOR_BYTES = 100 * BLOCK_BYTES;
const names = ["first", "second", "third"] as const;
const image = safetensors(Object.fromEntries(names.map((name) => [name, { dtype: "U8", shape: [TENSOR_BYTES], data: patternBytes(TENSOR_BYTES) }])));
const repairing = { policy: { ...backend.policy, allowRepair: true, afterRepair: "continue" as const } };

interface Damage {
  readonly blockCount: number;
  readonly blocks: readonly { readonly index: number; readonly singleBit: boolean | null; readonly tensors: readonly string[] }[];
}

function flip(shard: SealedShard, byteOffset: number, bit = 0, leadBytes = 0): void {
  flipBit({ bufferId: bufferIdOf(shard), byteOffset: leadBytes + byteOffset, bit });
}

/** Bytes before the image in its memory: what brings tensor data to a boundary of 256 bytes. */
function leadOf(bytes: Buffer): number {
  const dataOffset = 8 + Number(bytes.readBigUInt64LE());
  return dataOffset % 16 === 0 ? (256 - (dataOffset % 256)) % 256 : 0;
}

const damageOf = ({ damage }: VramErrorDetails): Damage => damage as Damage;

/** Distinct blocks with one flipped bit each. */
function flipBlocks(shard: SealedShard, count: number, leadBytes: number, blockCount: number): number[] {
  const blocks = new Set<number>();
  while (blocks.size < count) blocks.add(randomInt(blockCount));
  for (const block of blocks) flip(shard, block * BLOCK_BYTES + randomInt(100), randomInt(8), leadBytes);
  return [...blocks].sort((a, b) => a - b);
}

describe("damage", () => {
  itWithFaults("is told by block and tensor, in the error and in the event, with whether one bit explains it", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(image, { format: "safetensors" });
    const lead = leadOf(image);
    const dataOffset = 8 + Number(image.readBigUInt64LE());
    flip(shard, dataOffset + TENSOR_BYTES + 50 * BLOCK_BYTES, 3, lead);
    flip(shard, dataOffset + 2 * TENSOR_BYTES + 50 * BLOCK_BYTES, 3, lead);
    flip(shard, dataOffset + 2 * TENSOR_BYTES + 50 * BLOCK_BYTES + 1, 3, lead);
    const error = await refusal(place.residency.verify(shard));
    const damage = damageOf(error.details);
    const block = (offset: number): number => Math.floor((dataOffset + offset) / BLOCK_BYTES);
    expect(damage).toEqual({
      blockCount: 2,
      blocks: [
        { index: block(TENSOR_BYTES + 50 * BLOCK_BYTES), singleBit: true, tensors: ["second"] },
        { index: block(2 * TENSOR_BYTES + 50 * BLOCK_BYTES), singleBit: false, tensors: ["third"] },
      ],
    });
    expect(await eventsOfType(place, "vram.seal.verification_failed")).toMatchObject([{ data: { reason: "digest", damage } }]);
    expect(place.residency.signal.reason).toBe(error);
  });

  itWithFaults("of more blocks than are named is counted whole", async () => {
    const { residency } = await openWorkplace();
    hashNatively(true);
    const shard = await residency.seal(patternBytes(300 * BLOCK_BYTES));
    flipBlocks(shard, 100, 0, 300);
    const damage = damageOf((await refusal(residency.verify(shard))).details);
    expect([damage.blockCount, damage.blocks.length]).toEqual([100, 64]);
  });

  itWithFaults("stops the worker before it is located", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(20 * BLOCK_BYTES));
    flip(shard, 5000);
    const failed = refusal(residency.verify(shard));
    while (residency.state === "ready") await new Promise(setImmediate);
    expect(residency.signal.aborted).toBe(false);
    expect(await refusal(residency.execute(shard, () => undefined))).toMatchObject({ code: "STOPPED" });
    expect(await failed).toMatchObject({ code: "SEAL_VERIFICATION_FAILED" });
  });
});

describe("a repair", () => {
  itWithFaults.each([1, 2, 17, 1000])("of %i flipped bits writes those blocks again from the file, seals anew and goes on", async (count) => {
    const place = await openWorkplace(repairing);
    hashNatively(true);
    const bytes = randomBytes(1100 * BLOCK_BYTES + 77);
    const shard = await place.residency.seal(await place.model(bytes));
    const before = shard.seal;
    const blocks = flipBlocks(shard, count, 0, 1101);
    const error = await refusal(place.residency.verify(shard));
    expect(error.details).toMatchObject({ reason: "digest", repaired: true, damage: { blockCount: count } });
    expect(damageOf(error.details).blocks.map(({ index }) => index)).toEqual(blocks.slice(0, 64));
    expect(place.residency.state).toBe("ready");
    expect(await refusal(place.residency.verify(before))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "unknown_shard" } });
    expect((await eventTypes(place)).slice(2, 5)).toEqual(["vram.seal.verification_failed", "vram.shard.repaired", "vram.shard.resealed"]);
    expect(await eventsOfType(place, "vram.shard.repaired")).toMatchObject([{ severity: "critical", data: { blocks: count } }]);
  });

  itWithFaults("brings back the very bytes: the next verification finds the sealed digest", async () => {
    const place = await openWorkplace(repairing);
    const { residency } = place;
    const shard = await residency.seal(await place.model(patternBytes(9000)));
    const { digest } = shard;
    flip(shard, 8999);
    await refusal(residency.execute(shard, () => undefined));
    expect(await residency.verify(shard)).toMatchObject({ digest });
    expect(await residency.execute(shard, () => "ran")).toBe("ran");
  });

  itWithFaults("is none where the policy does not allow it", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(await place.model(patternBytes(9000)));
    flip(shard, 100);
    await refusal(place.residency.verify(shard));
    expect((await eventTypes(place)).slice(2)).toEqual(["vram.seal.verification_failed", "vram.worker.stopped"]);
  });

  itWithFaults("lets the worker stop, as the policy has it by default", async () => {
    const place = await openWorkplace({ policy: { ...backend.policy, allowRepair: true } });
    const shard = await place.residency.seal(await place.model(patternBytes(9000)));
    flip(shard, 100);
    expect(await refusal(place.residency.verify(shard))).toMatchObject({ details: { repaired: true } });
    expect(place.residency.state).toBe("stopped");
    expect((await eventTypes(place)).slice(2)).toEqual(["vram.seal.verification_failed", "vram.shard.repaired", "vram.worker.stopped"]);
  });

  itWithFaults.each<[string, (path: string) => Promise<unknown>]>([
    ["another byte in the block", async (path) => { const bytes = await readFile(path); bytes[5000] = 0; await writeFile(path, bytes); }],
    ["fewer bytes", (path) => writeFile(path, patternBytes(3000))],
  ])("from a file with %s is refused with nothing written", async (_, change) => {
    const place = await openWorkplace(repairing);
    const path = await place.model(patternBytes(9000));
    const shard = await place.residency.seal(path);
    flip(shard, 5001);
    await change(path);
    expect(await refusal(place.residency.verify(shard))).toMatchObject({ details: { repaired: false } });
    expect(place.residency.state).toBe("stopped");
    expect(await eventsOfType(place, "vram.shard.repair_refused")).toMatchObject([{ severity: "critical", data: { reason: "source" } }]);
    expect(await eventsOfType(place, "vram.shard.repaired")).toEqual([]);
  });

  itWithFaults("of what was given as bytes is refused: they are not kept", async () => {
    const place = await openWorkplace(repairing);
    const shard = await place.residency.seal(patternBytes(9000));
    flip(shard, 5001);
    await refusal(place.residency.verify(shard));
    expect(await eventsOfType(place, "vram.shard.repair_refused")).toMatchObject([{ data: { reason: "source" } }]);
  });

  itWithFaults("of a block that was repaired before quarantines the device", async () => {
    const place = await openWorkplace(repairing);
    const shard = await place.residency.seal(await place.model(patternBytes(9000)));
    flip(shard, 5001);
    await refusal(place.residency.verify(shard));
    flip(shard, 5002);
    expect(await refusal(place.residency.verify(shard))).toMatchObject({ details: { repaired: false } });
    expect(place.residency.state).toBe("stopped");
    expect((await eventTypes(place)).slice(-4)).toEqual([
      "vram.seal.verification_failed",
      "vram.device.quarantined",
      "vram.shard.repair_refused",
      "vram.worker.stopped",
    ]);
    expect(await eventsOfType(place, "vram.device.quarantined")).toMatchObject([{ data: { gpuDevice: 0, block: 1 } }]);
  });

  itWithFaults("waits for the executions of the shard, and is refused where they go on for too long", async () => {
    const place = await openWorkplace({ ...repairing, limits: { viewTimeoutMs: 30 } });
    const shard = await place.residency.seal(await place.model(patternBytes(9000)));
    await place.residency.execute(shard, async () => {
      flip(shard, 100);
      await refusal(place.residency.verify(shard));
    });
    expect(await eventsOfType(place, "vram.shard.repair_refused")).toMatchObject([{ data: { reason: "in_use" } }]);
  });
});

async function sealedTensors(): Promise<{ readonly residency: Residency; readonly shard: SealedShard; readonly place: Awaited<ReturnType<typeof openWorkplace>> }> {
  const place = await openWorkplace();
  return { place, residency: place.residency, shard: await place.residency.seal(image, { format: "safetensors" }) };
}

describe("a part of a shard", () => {
  itWithFaults("is verified alone, and that is audited with its place", async () => {
    const { place, residency, shard } = await sealedTensors();
    const report = await residency.verify(shard, { tensor: "second" });
    const dataOffset = 8 + Number(image.readBigUInt64LE());
    expect(report).toMatchObject({ shardId: shard.shardId, digest: shard.digest, byteOffset: dataOffset + TENSOR_BYTES, byteLength: TENSOR_BYTES });
    expect(await residency.verify(shard, { range: { offset: 0, byteLength: 1 } })).toMatchObject({ byteOffset: 0, byteLength: 1 });
    expect(await eventsOfType(place, "vram.range.verified")).toMatchObject([{ data: { byteLength: TENSOR_BYTES } }, { data: { byteLength: 1 } }]);
  });

  itWithFaults("that is good is found good while another is damaged, and a damaged one stops the worker", async () => {
    const { residency, shard } = await sealedTensors();
    flip(shard, 8 + Number(image.readBigUInt64LE()) + TENSOR_BYTES + 50 * BLOCK_BYTES, 0, leadOf(image));
    await residency.verify(shard, { tensor: "third" });
    expect(await refusal(residency.verify(shard, { tensor: "second" }))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "digest" } });
    expect(residency.state).toBe("stopped");
  });

  itWithFaults.each([
    ["options.tensor", { tensor: "fourth" }],
    ["options.range", { range: { offset: 0, byteLength: 2 ** 40 } }],
    ["options.range.byteLength", { range: { offset: 1, byteLength: 0 } }],
    ["options", { tensor: "first", range: { offset: 0, byteLength: 1 } }],
  ])("must be one: %s", async (argument, options) => {
    const { residency, shard } = await sealedTensors();
    const error = await refusal(residency.verify(shard, options as { tensor: string }));
    expect([error.code, error.details["argument"]]).toEqual(["INVALID_INPUT", argument]);
  });

  itWithFaults("of a set is named by its member", async () => {
    const { residency } = await openWorkplace();
    const set = await residency.sealSet([patternBytes(5000), patternBytes(5000)]);
    const error = await refusal(residency.verify(set as never, { range: { offset: 0, byteLength: 1 } }));
    expect([error.code, error.details["argument"]]).toEqual(["INVALID_INPUT", "target"]);
  });
});

describe("an execution", () => {
  itWithFaults("with verifyAfter does not give out a result that was made on memory that changed meanwhile", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(9000));
    expect(await residency.execute(shard, () => "ran", { verifyAfter: true })).toBe("ran");
    const damaged = residency.execute(shard, () => { flip(shard, 10); return "ran"; }, { verifyAfter: true });
    expect(await refusal(damaged)).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "digest" } });
    expect(residency.state).toBe("stopped");
  });

  itWithFaults("needs no new verification within policy.maxVerificationAgeMs, and one behind it", async () => {
    const place = await openWorkplace({ policy: { ...backend.policy, maxVerificationAgeMs: 200 } });
    const shard = await place.residency.seal(patternBytes(9000));
    const verifications = async (): Promise<number> => (await eventsOfType(place, "vram.shard.verified")).length;
    for (let time = 0; time < 3; time += 1) await place.residency.execute(shard, () => undefined);
    expect(await verifications()).toBe(1);
    await place.residency.verify(shard);
    expect(await verifications()).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 210));
    await place.residency.execute(shard, () => undefined);
    expect(await verifications()).toBe(3);
  });

  itWithFaults("of many at once shares a verification that begins behind them all, and an abort of one is its own", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(9000));
    const controller = new AbortController();
    const running = Array.from({ length: 8 }, (_, index) => place.residency.execute(shard, () => index, index === 3 ? { signal: controller.signal } : {}));
    controller.abort();
    const results = await Promise.allSettled(running);
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, (_, index) => (index === 3 ? "rejected" : "fulfilled")));
    expect(await eventsOfType(place, "vram.shard.verified")).toHaveLength(1);
    await place.residency.execute(shard, () => undefined);
    expect(await eventsOfType(place, "vram.shard.verified")).toHaveLength(2);
  });
});
