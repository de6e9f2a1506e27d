import { inspect } from "node:util";
import { fsverityDigest } from "vram-seal";
import { simulatorStats } from "vram-simulator/control";
import { hold, tamper } from "vram-simulator/tamper";
import { describe, expect, it, vi } from "vitest";
import type { Lease, VramError } from "../src/index.js";
import { eventTypes, expectNothingHeld, expectZeroed, onGpu, openWorkplace, patternBytes, refusal } from "./fixture.js";
import { f32, safetensors } from "./safetensors.js";

const BYTES = 5000;
const ALL = { offset: 0, byteLength: BYTES };

async function openShard(options: Parameters<typeof openWorkplace>[0] = {}) {
  const place = await openWorkplace(options);
  return { place, residency: place.residency, shard: await place.residency.seal(patternBytes(BYTES), { shardId: "s" }) };
}

function codeOf(call: () => unknown): Promise<VramError> {
  return refusal(Promise.resolve().then(call));
}

describe("lease.view", () => {
  it("gives native code the verified bytes; what it changes is refused at the next execute", async () => {
    const { place, residency, shard } = await openShard();
    await residency.execute(shard, (lease) => {
      tamper(lease.view(ALL), { byteOffset: 4999, bit: 0 });
    });
    const fn = vi.fn();
    expect(await refusal(residency.execute(shard, fn))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "digest" } });
    expect(fn).not.toHaveBeenCalled();
    expect(residency.state).toBe("stopped");
    expect(await eventTypes(place)).toContain("vram.seal.verification_failed");
  });

  it("refuses what does not lie in the image, what is no tensor of the lease, and an alignment it does not have", async () => {
    const { residency, shard } = await openShard();
    await residency.execute(shard, async (lease) => {
      const whole = lease.tensors.get("");
      if (whole === undefined) throw new Error("an opaque image is one tensor");
      const refused: [unknown, unknown?][] = [
        [{ offset: 1, byteLength: BYTES }],
        [{ offset: BYTES, byteLength: 1 }],
        [{ offset: -1, byteLength: 1 }],
        [{ offset: 0.5, byteLength: 1 }],
        [{ offset: 2 ** 53, byteLength: 1 }],
        [{ offset: "0", byteLength: 1 }],
        [{ ...whole }],
        [null],
        [undefined],
        [whole, { minAlignment: 512 }],
        [whole, { minAlignment: 3 }],
        [{ offset: 8, byteLength: 1 }, { minAlignment: 16 }],
        [whole, { alignment: 1 }],
      ];
      for (const [target, options] of refused) {
        const error = await codeOf(() => lease.view(target as never, options as never));
        expect(error, inspect(target)).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
      }
      lease.view(whole, { minAlignment: 256 });
      lease.view({ offset: 16, byteLength: 16 }, { minAlignment: 16 });
      lease.view({ offset: BYTES, byteLength: 0 });
    });
    expect(residency.state).toBe("ready");
  });

  it("is over when fn has settled, also for views made before", async () => {
    const { residency, shard } = await openShard();
    const { lease, view } = await residency.execute(shard, (open) => ({ lease: open, view: open.view(ALL) }));
    expect(await codeOf(() => lease.view(ALL))).toMatchObject({ code: "INVALID_INPUT" });
    expect(() => hold(view)).toThrow(/status 1/);
    const kept: Lease[] = [];
    await expect(
      residency.execute(shard, (open) => {
        kept.push(open);
        throw new TypeError("mine");
      }),
    ).rejects.toThrow("mine");
    for (const each of kept) expect(await codeOf(() => each.view(ALL))).toMatchObject({ code: "INVALID_INPUT" });
  });

  it("of several shards goes by the tensor, and by the shard for a range", async () => {
    const { residency, shard } = await openShard();
    const other = await residency.seal(patternBytes(100), { shardId: "t" });
    await residency.execute([shard, other], async (lease) => {
      expect(await codeOf(() => lease.view({ offset: 0, byteLength: 1 }))).toMatchObject({ code: "INVALID_INPUT" });
      const [, second] = lease.shards;
      const tensor = second?.tensors.get("");
      if (tensor === undefined) throw new Error("a lease has its shards in order");
      hold(lease.view(tensor))();
      expect(await codeOf(() => second?.view({ offset: 100, byteLength: 1 }))).toMatchObject({ code: "INVALID_INPUT" });
      // What a caller does to the map of a lease changes no other.
      (lease.shards[0]?.tensors as Map<string, unknown>).clear();
    });
    expect(await residency.execute(shard, (lease) => lease.tensors.size)).toBe(1);
  });
});

describe("alignment in device memory", () => {
  const two = { "layer.0": f32(1, 2, 3, 4, 5, 6), "layer.1": f32(7) };

  it.each([
    ["16 puts the data on 256", 0, [256, 8]],
    ["8 leaves it there", 8, [8, 16]],
    ["1 leaves it there", 1, [1, 1]],
  ])("a header that ends on a multiple of %s; the digest is the file's all the same", async (_, padding, alignments) => {
    const { residency } = await openWorkplace();
    const image = safetensors(two, padding);
    const shard = await residency.seal(image);
    expect(shard.digest).toBe(fsverityDigest(image));
    await residency.execute(shard, async (lease) => {
      const { tensors } = lease;
      expect([...tensors.values()].map(({ alignment }) => alignment)).toEqual(alignments);
      for (const tensor of tensors.values()) {
        hold(lease.view(tensor, { minAlignment: tensor.alignment }))();
        expect(await codeOf(() => lease.view(tensor, { minAlignment: 2 * tensor.alignment }))).toMatchObject({ code: "INVALID_INPUT" });
      }
    });
  });
});

describe("native code that keeps a tensor", () => {
  it("keeps release waiting; the memory is wiped when it lets go", async () => {
    const { place, residency, shard } = await openShard();
    const giveBack = await residency.execute(shard, (lease) => hold(lease.view(ALL)));
    let closed = false;
    const closing = shard.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(false);
    if (!onGpu) expect(simulatorStats().freed).toEqual([]);
    giveBack();
    await closing;
    expectZeroed();
    expect(residency.state).toBe("ready");
    expect((await place.events()).at(-1)).toMatchObject({ type: "vram.shard.deallocated", data: { wiped: true } });
  });

  it("longer than the time-out stops the worker, and the trail says that the memory was not wiped; no address is freed", async () => {
    const { place, residency, shard } = await openShard({ limits: { viewTimeoutMs: 20 } });
    const giveBack = await residency.execute(shard, (lease) => hold(lease.view(ALL)));
    const startMs = performance.now();
    await shard.close();
    expect(performance.now() - startMs, "far from the default of 30 s").toBeLessThan(15_000);
    expect(residency.state).toBe("stopped");
    expect(residency.signal.reason).toMatchObject({ code: "CUDA_FAILED" });
    expect(residency.capacity().usedBytes).toBeGreaterThan(0);
    const events = await place.events();
    expect(events.find(({ type }) => type === "vram.shard.deallocated")).toMatchObject({ severity: "critical", data: { wiped: false, lost: false } });
    if (!onGpu) expect(simulatorStats().freed).toEqual([]);
    giveBack();
    await residency.close();
    expectZeroed();
    expectNothingHeld();
  });
});
