import { inspect } from "node:util";
import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { simulatorStats } from "vram-simulator/control";
import { WIPED, failure, itWithFaults, onGpu, openTestDevice, openTestDriver, patternBytes, sealable } from "./fixture.js";

describe("BO-1 BO-2 MS-002 MS-007 test_bounds_checking test_safe_memcpy ranges of an allocation", () => {
  it.each([
    ["one byte too many", [1025]],
    ["one byte after the last", [1024, 1]],
    ["two halves and one", [512, 512, 1]],
  ])("refuses %s, and the bytes before stay loadable", async (_, lengths) => {
    const allocation = await (await openTestDevice()).allocate(1024);
    const pieces = lengths.map((length) => new Uint8Array(length));
    const last = pieces.pop() ?? new Uint8Array();
    for (const piece of pieces) await allocation.append(piece);
    expect((await failure(() => allocation.append(last))).code).toBe("INVALID_INPUT");
  });

  it("accepts empty pieces at both ends and exactly the last bytes", async () => {
    const allocation = await (await openTestDevice()).allocate(1024);
    for (const length of [0, 1000, 24, 0]) await allocation.append(new Uint8Array(length));
    await allocation.finishLoad();
  });

  it("refuses to finish a load that is too short", async () => {
    const allocation = await (await openTestDevice()).allocate(1024);
    await allocation.append(new Uint8Array(1023));
    expect((await failure(() => allocation.finishLoad())).code).toBe("INVALID_INPUT");
  });

  it.each([[null], ["bytes"], [[1, 2]], [new Uint16Array(2)], [{ byteLength: 3 }]])("refuses %j as bytes", async (chunk) => {
    const allocation = await (await openTestDevice()).allocate(8);
    expect((await failure(() => allocation.append(chunk as never))).code).toBe("INVALID_INPUT");
  });
});

describe("BO-4 IO-1 IO-3 MS-003 test_allocation_overflow_prevented test_integer_overflow_prevented sizes", () => {
  itWithFaults.each([[Number.NaN], [-1], [0], [1.5], [2 ** 53], [2 ** 53 - 1], [Number.POSITIVE_INFINITY], ["8"], [8n], [undefined]])(
    "refuses an allocation of %s before any driver call",
    async (byteLength) => {
      const device = await openTestDevice();
      const before = simulatorStats().calls["cuMemCreate"];
      expect((await failure(() => device.allocate(byteLength as never))).code).toBe("INVALID_INPUT");
      expect(simulatorStats().calls["cuMemCreate"]).toBe(before);
    },
  );

  it.each([[-1], [Number.NaN], [0.5], [2 ** 31], ["3"], [999_999]])("refuses %s as a file descriptor", async (fd) => {
    const allocation = await (await openTestDevice()).allocate(8);
    expect((await failure(() => allocation.appendFile(fd as never, 8))).code).toBe("INVALID_INPUT");
  });
});

describe("states and handles", () => {
  it("MS-007 test_safe_cuda_operations every operation out of its order is refused", async () => {
    const device = await openTestDevice();
    const loading = await device.allocate(8);
    for (const operation of [() => loading.freeze(), () => loading.digest()]) {
      expect((await failure(operation)).code).toBe("INVALID_INPUT");
    }
    const frozen = await sealable(device, patternBytes(8));
    for (const operation of [() => frozen.append(patternBytes(1)), () => frozen.finishLoad(), () => frozen.freeze()]) {
      expect((await failure(operation)).code).toBe("INVALID_INPUT");
    }
    await frozen.release();
    expect((await failure(() => frozen.digest())).code).toBe("INVALID_INPUT");
    expect(await frozen.release()).toEqual(WIPED);
  });

  it("MS-005 a closed device refuses, wipes what was left, and closes once", async () => {
    const device = await openTestDevice();
    const allocation = await sealable(device, patternBytes(5000));
    await Promise.all([device.close(), device.close()]);
    expect((await failure(() => allocation.digest())).code).toBe("INVALID_INPUT");
    expect((await failure(() => device.allocate(8))).code).toBe("INVALID_INPUT");
    if (onGpu) return;
    const stats = simulatorStats();
    expect(stats).toMatchObject({ allocations: [], reservations: 0, contexts: 0, streams: 0, modules: 0, allocatedBytes: 0 });
    expect(stats.freed.every(({ zeroed }) => zeroed)).toBe(true);
  });

  it.each([[5], [-1], [0.5], [Number.NaN], ["GPU-00000000-0000-0000-0000-000000000000"], [null]])(
    "IV-002 test_gpu_device_validation refuses the device %j",
    async (selector) => {
      expect((await failure(() => openTestDriver().openDevice(selector as never))).code).toBe("INVALID_INPUT");
    },
  );
});

it("PL-1 PL-2 PL-3 MS-001 test_vram_ptr_not_exposed test_vram_ptr_not_in_json test_vram_ptr_not_in_debug no object carries an address", async () => {
  const device = await openTestDevice();
  const allocation = await sealable(device, patternBytes(5000));
  const objects = [device, allocation, await allocation.placement(), await device.memory()];
  const told = objects.map((each) => inspect(each, { showHidden: true, depth: Infinity, getters: true }) + JSON.stringify(each));
  for (const text of told) {
    expect(text).not.toMatch(/0x[0-9a-f]{6}/i);
    expect(text).not.toMatch(/\b\d{15}\b/);
  }
  for (const each of objects.slice(2)) expect(serialize(each).toString("latin1")).not.toMatch(/0x[0-9a-f]{6}/i);
});
