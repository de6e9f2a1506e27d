import { describe, expect, it } from "vitest";
import { native } from "../src/native.js";
import type { Handle, NativeResult } from "../src/native.js";
import { libraryPath, openTestDriver } from "./fixture.js";

const FORGED: readonly unknown[] = [undefined, null, NaN, 1.5, -1, 0, 1, 2 ** 53, 7n, "1", true, {}, [], Object.create(null), () => 1, Symbol("x"), new Uint8Array(8)];

function must<T>(result: NativeResult<T>): T {
  if ("error" in result) throw new Error(result.error.message);
  return result.value;
}

describe("handles", () => {
  it("MS-002 test_safe_cuda_operations forged, foreign and stale handles are refused by every function", async () => {
    openTestDriver();
    const addon = native();
    const { handle: driver } = must(addon.openDriver(libraryPath));
    const { handle: device } = must(await addon.openDevice(driver, 0));
    const { handle: allocation } = must(await addon.allocate(device, 100, 0, true, false, false));
    const onDriver = (handle: Handle<"driver">): unknown[] => [addon.devices(handle), addon.openDevice(handle, 0)];
    const onDevice = (handle: Handle<"device">): unknown[] => [
      addon.memory(handle),
      addon.allocate(handle, 100, 0, true, false, false),
      addon.takeTeardownFailures(handle),
      addon.closeDevice(handle),
    ];
    const onAllocation = (handle: Handle<"allocation">): unknown[] => [
      addon.append(handle, new Uint8Array(1)),
      addon.whenRoom(handle),
      addon.appendFile(handle, 0, 0, 1),
      addon.finishLoad(handle),
      addon.freeze(handle),
      addon.digest(handle, false),
      addon.inspect(handle),
      addon.inspectRange(handle, 0, 1),
      addon.locate(handle, "0".repeat(64), 1),
      addon.repair(handle, "0".repeat(64), [0], new Uint8Array(4096)),
      addon.placement(handle),
      addon.view(handle, 0, 1, 1, 8, [1]),
      addon.release(handle),
    ];
    const copies = [allocation, device, driver].flatMap((handle): unknown[] => [{ ...handle }, Object.create(handle), structuredClone(handle)]);
    for (const forged of [...FORGED, ...copies]) {
      const answers = [
        ...onDriver(forged as Handle<"driver">),
        ...onDevice(forged as Handle<"device">),
        ...onAllocation(forged as Handle<"allocation">),
      ];
      for (const answer of await Promise.all(answers)) expect(answer).toHaveProperty("error.code", "INVALID_INPUT");
    }
    // A handle of one kind is none of another.
    const crossed = [...onDriver(device as unknown as Handle<"driver">), ...onDevice(allocation as unknown as Handle<"device">)];
    crossed.push(...onAllocation(driver as unknown as Handle<"allocation">));
    for (const answer of await Promise.all(crossed)) expect(answer).toHaveProperty("error.code", "INVALID_INPUT");

    must(await addon.release(allocation));
    const { handle: next } = must(await addon.allocate(device, 100, 0, true, false, false));
    for (const answer of await Promise.all(onAllocation(allocation))) expect(answer).toHaveProperty("error.code", "INVALID_INPUT");
    must(await addon.release(next));
    must(await addon.closeDevice(device));
    for (const answer of await Promise.all(onDevice(device))) expect(answer).toHaveProperty("error.code", "INVALID_INPUT");
  });

  it("an operation on a busy allocation is refused by the addon", async () => {
    openTestDriver();
    const addon = native();
    const { handle: driver } = must(addon.openDriver(libraryPath));
    const { handle: device } = must(await addon.openDevice(driver, 0));
    const { handle: allocation } = must(await addon.allocate(device, 100, 0, true, false, false));
    const running = addon.placement(allocation);
    expect(await addon.placement(allocation)).toHaveProperty("error.code", "INVALID_INPUT");
    expect(await addon.release(allocation)).toHaveProperty("error.code", "INVALID_INPUT");
    must(await running);
    must(await addon.release(allocation));
    must(await addon.closeDevice(device));
  });

  it("PL-1 test_vram_ptr_not_exposed a handle has no property, no symbol and no prototype of its own", async () => {
    openTestDriver();
    const addon = native();
    const { handle: driver } = must(addon.openDriver(libraryPath));
    const { handle: device } = must(await addon.openDevice(driver, 0));
    for (const handle of [driver, device, addon.createCancel()]) {
      expect(Reflect.ownKeys(handle)).toEqual([]);
      expect(Object.getPrototypeOf(handle)).toBe(Object.prototype);
      expect(Object.isFrozen(handle)).toBe(true);
    }
    must(await addon.closeDevice(device));
  });
});
