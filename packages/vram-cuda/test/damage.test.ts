import { failCall, flipBit, setPointerAttribute, simulatorStats, skipKernel } from "vram-simulator/control";
import { hold, tamper } from "vram-simulator/tamper";
import { describe, expect, it } from "vitest";
import type { Allocation, BlockRepair } from "../src/index.js";
import { failure, itWithFaults, openSimulated, openTestDevice, patternBytes, sealable } from "./fixture.js";
import { bufferIdOf } from "./simulated.js";

const BYTES = patternBytes(600_000);
const LAST = 146;
const NO_DIGESTS = ["", "0".repeat(63), "G".repeat(64), "A".repeat(64), 1, undefined] as readonly string[];

const blockOf = (index: number): BlockRepair => ({ index, bytes: BYTES.slice(index * 4096, (index + 1) * 4096) });

interface Kept {
  readonly allocation: Allocation;
  readonly digest: string;
}

async function keep(allocation: Allocation): Promise<Kept> {
  return { allocation, digest: await allocation.digest({ keepTree: true }) };
}

async function openKept(): Promise<Kept> {
  return keep(await sealable(await openTestDevice(), BYTES));
}

function flip(allocation: Allocation, byteOffset: number, bit = 0): void {
  const view = allocation.view({ byteOffset, byteLength: 1 });
  tamper(view, { byteOffset: 0, bit });
  allocation.endView(view);
}

describe("a range of the image", () => {
  it("has the digest of the whole, with the placement, while damage beside it stays unseen", async () => {
    const { allocation, digest } = await openKept();
    flip(allocation, 4096);
    expect(await allocation.inspectRange({ offset: 8192, length: 500_000 })).toEqual({ placement: await allocation.placement(), digest });
    expect(await allocation.inspectRange({ offset: 599_999, length: 1 })).toHaveProperty("digest", digest);
    const seen = await allocation.inspectRange({ offset: 5000, length: 1 });
    expect(seen.digest).toBe(await allocation.digest());
    expect(seen.digest).not.toBe(digest);
  });

  it("needs a kept tree; one is kept also before the memory is frozen", async () => {
    const allocation = await (await openTestDevice()).allocate(10);
    await allocation.append(BYTES.subarray(0, 10));
    await allocation.finishLoad();
    await allocation.digest();
    expect((await failure(() => allocation.inspectRange({ offset: 0, length: 1 }))).message).toMatch(/kept tree/);
    const { digest } = await keep(allocation);
    expect((await allocation.inspectRange({ offset: 9, length: 1 })).digest).toBe(digest);
  });

  it.each([
    { offset: 0, length: 0 },
    { offset: 600_000, length: 1 },
    { offset: 1, length: 600_000 },
    { offset: -1, length: 1 },
    { offset: 0.5, length: 1 },
    { offset: 2 ** 53, length: 1 },
    { offset: 0, length: NaN },
  ])("of $length bytes at $offset is refused", async (range) => {
    const { allocation } = await openKept();
    expect((await failure(() => allocation.inspectRange(range))).code).toBe("INVALID_INPUT");
  });

  itWithFaults("is not read where the driver tells of other memory, nor believed where a kernel was skipped", async () => {
    const { allocation } = await keep(await sealable(await openSimulated(), BYTES));
    skipKernel({ after: 1 });
    expect((await failure(() => allocation.inspectRange({ offset: 0, length: 1 }))).code).toBe("CUDA_FAILED");
    const launches = simulatorStats().calls["cuLaunchKernel"];
    setPointerAttribute(2, 1, 0);
    expect((await allocation.inspectRange({ offset: 0, length: 1 })).digest).toBeNull();
    expect(simulatorStats().calls["cuLaunchKernel"]).toBe(launches);
  });
});

describe("damage", () => {
  it("is located to its blocks, and told from a single flipped bit", async () => {
    const { allocation, digest } = await openKept();
    expect(await allocation.locate({ digest })).toEqual({ digest, blockCount: 0, blocks: [] });
    flip(allocation, 599_999, 7);
    flip(allocation, 4096);
    flip(allocation, 4100);
    const damage = await allocation.locate({ digest });
    const blocks = [
      { index: 1, singleBit: false },
      { index: LAST, singleBit: true },
    ];
    expect(damage).toEqual({ digest: await allocation.digest(), blockCount: 2, blocks });
    expect(await allocation.locate({ digest, limit: 1 })).toEqual({ ...damage, blocks: blocks.slice(0, 1) });
  });

  it("is not looked for by a tree of other bytes", async () => {
    const { allocation, digest } = await openKept();
    flip(allocation, 0);
    await keep(allocation);
    const error = await failure(() => allocation.locate({ digest }));
    expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "tree" } });
  });

  it("is looked for with good arguments only, and with a kept tree", async () => {
    const { allocation, digest } = await openKept();
    for (const wrong of NO_DIGESTS) expect((await failure(() => allocation.locate({ digest: wrong }))).code).toBe("INVALID_INPUT");
    for (const limit of [0, -1, 1.5, NaN, 2 ** 53]) {
      expect((await failure(() => allocation.locate({ digest, limit }))).code).toBe("INVALID_INPUT");
    }
    expect((await failure(() => allocation.digest({ keepTree: 1 as unknown as boolean }))).code).toBe("INVALID_INPUT");
    const bare = await sealable(await openTestDevice(), BYTES);
    expect((await failure(() => bare.locate({ digest }))).message).toMatch(/kept tree/);
  });

  // A GPU is through before the signal can be seen.
  itWithFaults("is looked for until the signal says stop", async () => {
    const { allocation, digest } = await openKept();
    const seen: number[] = [];
    await allocation.locate({ digest, onProgress: (done) => seen.push(done) });
    expect(seen.at(-1)).toBe(BYTES.length);
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => { controller.abort("enough"); } };
    flip(allocation, 0);
    expect((await failure(() => allocation.locate({ digest, ...options }))).cause).toBe("enough");
    expect((await failure(() => allocation.inspectRange({ offset: 0, length: 1 }, options))).code).toBe("ABORTED");
  });
});

describe("a repair", () => {
  it("restores the digest of frozen memory, which stays frozen with its views", async () => {
    const { allocation, digest } = await openKept();
    flip(allocation, 3);
    flip(allocation, 599_999);
    const blocks = [blockOf(LAST), blockOf(0)];
    const repairing = allocation.repair(blocks, { digest });
    for (const { bytes } of blocks) bytes.fill(0);
    await repairing;
    expect(await allocation.digest()).toBe(digest);
    expect(allocation.state).toBe("frozen");
    expect((await allocation.placement()).access).toBe("read");
    hold(allocation.view({ byteOffset: 0, byteLength: 1 }))();
  });

  it("with one wrong block writes nothing", async () => {
    const { allocation, digest } = await openKept();
    flip(allocation, 3);
    const damaged = await allocation.digest();
    const error = await failure(() => allocation.repair([blockOf(0), { ...blockOf(1), index: 2 }], { digest }));
    expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "block" } });
    expect(await allocation.digest()).toBe(damaged);
  });

  it("waits for native code to give back its view: until then it is CUDA_FAILED and changes nothing", async () => {
    const { allocation, digest } = await openKept();
    flip(allocation, 3);
    const damaged = await allocation.digest();
    const giveBack = hold(allocation.view({ byteOffset: 0, byteLength: 1 }));
    expect((await failure(() => allocation.repair([blockOf(0)], { digest }))).code).toBe("CUDA_FAILED");
    expect(allocation.state).toBe("frozen");
    expect(await allocation.digest()).toBe(damaged);
    giveBack();
    await allocation.repair([blockOf(0)], { digest });
    expect(await allocation.digest()).toBe(digest);
  });

  it("takes only blocks of the image, whole, and only frozen memory with a kept tree", async () => {
    const { allocation, digest } = await openKept();
    const refused: unknown[] = [
      [],
      "blocks",
      [{ index: 0, bytes: new Uint8Array(4095) }],
      [{ index: LAST, bytes: new Uint8Array(4096) }],
      [{ index: LAST + 1, bytes: new Uint8Array(4096) }],
      [{ index: -1, bytes: new Uint8Array(4096) }],
      [{ index: 0.5, bytes: new Uint8Array(4096) }],
      [{ index: 0, bytes: "bytes" }],
    ];
    for (const blocks of refused) {
      expect((await failure(() => allocation.repair(blocks as BlockRepair[], { digest }))).code, JSON.stringify(blocks)).toBe("INVALID_INPUT");
    }
    for (const wrong of NO_DIGESTS) expect((await failure(() => allocation.repair([blockOf(0)], { digest: wrong }))).code).toBe("INVALID_INPUT");
    const bare = await sealable(await openTestDevice(), BYTES);
    expect((await failure(() => bare.repair([blockOf(0)], { digest }))).message).toMatch(/kept tree/);
    await bare.release();
    expect((await failure(() => bare.repair([blockOf(0)], { digest }))).message).toMatch(/be frozen/);
  });

  itWithFaults("that could not freeze again leaves the state loaded", async () => {
    const { allocation, digest } = await keep(await sealable(await openSimulated(), BYTES));
    flipBit({ bufferId: await bufferIdOf(allocation), byteOffset: 3, bit: 0 });
    failCall({ entryPoint: "cuMemSetAccess", code: 800, after: 1 });
    const error = await failure(() => allocation.repair([blockOf(0)], { digest }));
    expect(error).toMatchObject({ code: "CUDA_FAILED", details: { entryPoint: "cuMemSetAccess" } });
    expect(allocation.state).toBe("loaded");
    expect((await failure(() => allocation.repair([blockOf(0)], { digest }))).message).toMatch(/it is loaded/);
    await allocation.freeze();
    expect(await allocation.digest()).toBe(digest);
    hold(allocation.view({ byteOffset: 0, byteLength: 1 }))();
  });
});
