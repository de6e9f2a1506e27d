import { inspect } from "node:util";
import { serialize } from "node:v8";
import { simulatorStats } from "vram-simulator/control";
import { hold, tamper } from "vram-simulator/tamper";
import { describe, expect, it } from "vitest";
import type { Allocation, ViewRange } from "../src/index.js";
import { errorOf, expectZeroed, loadInto, pattern } from "./simulated.js";
import { WIPED, onGpu, openTestDevice } from "./fixture.js";

async function openFrozen(byteLength = 1024): Promise<Allocation> {
  const allocation = await loadInto(await openTestDevice(), pattern(byteLength));
  await allocation.freeze();
  return allocation;
}

const codeOf = (call: () => unknown): Promise<string> => errorOf(Promise.resolve().then(call)).then(({ code }) => code);

describe("a view", () => {
  it("lets native code see the bytes, and the digest sees what native code does to them", async () => {
    const allocation = await openFrozen();
    const before = await allocation.digest();
    tamper(allocation.view({ byteOffset: 1000, byteLength: 24 }), { byteOffset: 23, bit: 7 });
    const flipped = await allocation.digest();
    expect(flipped).not.toBe(before);
    tamper(allocation.view({ byteOffset: 1023, byteLength: 1 }), { byteOffset: 0, bit: 7 });
    expect(await allocation.digest()).toBe(before);
    expect((await allocation.placement()).access).toBe("read");
  });

  it("has no byte to tamper with past its end", async () => {
    const allocation = await openFrozen();
    const before = await allocation.digest();
    const view = allocation.view({ byteOffset: 1000, byteLength: 24 });
    expect(() => { tamper(view, { byteOffset: 24 }); }).toThrow(expect.objectContaining({ code: "INVALID_INPUT", message: "byteOffset must lie in the view" }));
    expect(() => { tamper(view, { byteOffset: Number.MAX_SAFE_INTEGER }); }).toThrow(/lie in the view/);
    expect(await allocation.digest()).toBe(before);
  });

  it("BO-3 MS-006 MS-007 test_pointer_arithmetic test_bounds_checking lies within the image and fits its type", async () => {
    const allocation = await openFrozen();
    const refused: ViewRange[] = [
      { byteOffset: 1000, byteLength: 25 },
      { byteOffset: 1024, byteLength: 1 },
      { byteOffset: 0, byteLength: 1025 },
      { byteOffset: 2 ** 53, byteLength: 1 },
      { byteOffset: -1, byteLength: 1 },
      { byteOffset: NaN, byteLength: 1 },
      { byteOffset: 0.5, byteLength: 1 },
      { byteOffset: 0, byteLength: 12, dtype: "float32", shape: [2] },
      { byteOffset: 0, byteLength: 8, dtype: "float32", shape: [-2] },
      { byteOffset: 0, byteLength: 0, dtype: "float32", shape: [2 ** 52, 2 ** 52] },
      { byteOffset: 0, byteLength: 8, dtype: "float4" as "float32" },
      { byteOffset: 0, byteLength: 8, shape: "8" as unknown as number[] },
    ];
    for (const range of refused) expect(await codeOf(() => allocation.view(range)), JSON.stringify(range)).toBe("INVALID_INPUT");
    for (const [byteOffset, byteLength] of [[1000, 24], [1024, 0], [0, 0]] as const) allocation.view({ byteOffset, byteLength });
    allocation.view({ byteOffset: 4, byteLength: 24, dtype: "float32", shape: [2, 3] });
    allocation.view({ byteOffset: 4, byteLength: 4, dtype: "float32", shape: [] });
  });

  it("PL-1 PL-2 PL-3 test_vram_ptr_not_exposed test_vram_ptr_not_in_json test_vram_ptr_not_in_debug is an object with nothing in it", async () => {
    const allocation = await openFrozen();
    const view = allocation.view({ byteOffset: 0, byteLength: 1024 });
    expect(Reflect.ownKeys(view)).toEqual([]);
    expect(Object.isFrozen(view)).toBe(true);
    expect(inspect(view, { showHidden: true, depth: Infinity })).toBe("{}");
    expect(JSON.stringify(view)).toBe("{}");
    expect(serialize(view)).toEqual(serialize({}));
    // A copy is no view.
    expect(() => hold(structuredClone(view))).toThrow(/must be a view/);
    expect(() => hold(Object.create(view) as object)).toThrow(/must be a view/);
  });

  it("is only of frozen memory, and of none that was released", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(10));
    expect(await codeOf(() => allocation.view({ byteOffset: 0, byteLength: 10 }))).toBe("INVALID_INPUT");
    await allocation.freeze();
    const view = allocation.view({ byteOffset: 0, byteLength: 10 });
    await allocation.release();
    expect(await codeOf(() => allocation.view({ byteOffset: 0, byteLength: 10 }))).toBe("INVALID_INPUT");
    expect(() => hold(view)).toThrow(/status 1/);
  });

  it("cannot be acquired after it was ended; another still can", async () => {
    const allocation = await openFrozen();
    const [ended, other] = [allocation.view({ byteOffset: 0, byteLength: 10 }), allocation.view({ byteOffset: 0, byteLength: 10 })];
    allocation.endView(ended);
    allocation.endView(ended);
    expect(() => hold(ended)).toThrow(/status 1/);
    hold(other)();
  });
});

describe("memory with an acquired view", () => {
  it("is released when native code gives it back", async () => {
    const allocation = await openFrozen();
    const giveBack = hold(allocation.view({ byteOffset: 0, byteLength: 10 }));
    const order: string[] = [];
    const releasing = allocation.release().then((report) => {
      order.push("released");
      return report;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    order.push("given back");
    giveBack();
    expect(await releasing).toEqual(WIPED);
    expect(order).toEqual(["given back", "released"]);
  });

  it("MS-004 stays mapped, read-only and told after the time-out; a later release wipes it", async () => {
    const allocation = await openFrozen();
    const giveBack = hold(allocation.view({ byteOffset: 0, byteLength: 10 }));
    const report = await allocation.release({ viewTimeoutMs: 20 });
    expect(report).toMatchObject({ wiped: false, lost: false, cause: { code: "CUDA_FAILED" } });
    expect(report.cause?.message).toMatch(/still holds a view/);
    if (!onGpu) expect(simulatorStats().allocations.map(({ access }) => access)).toContain(1);
    giveBack();
    giveBack();
    expect(await allocation.release()).toEqual(WIPED);
    expectZeroed(1);
  });

  it("is never freed under native code when the device closes, and that is a teardown failure", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(10));
    await allocation.freeze();
    const giveBack = hold(allocation.view({ byteOffset: 0, byteLength: 10 }));
    const { bufferId } = await allocation.placement();
    await device.close();
    expect(device.takeTeardownFailures()).toContainEqual({ bufferId, code: "CUDA_FAILED" });
    if (!onGpu) expect(simulatorStats().allocations).toEqual([expect.objectContaining({ bufferId, access: 1 })]);
    giveBack();
  });
});
