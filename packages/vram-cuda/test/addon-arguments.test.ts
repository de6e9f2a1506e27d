import { simulatorStats } from "vram-simulator/control";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { native, unwrap } from "../src/native.js";
import type { Handle } from "../src/native.js";
import { itWithFaults, libraryPath, openSimulated, openTestDevice, openTestDriver } from "./fixture.js";
import { MIB, expectCode, footprint, pattern } from "./simulated.js";

/** What no size may be, typed as a number for the sake of the call. */
const NO_SIZES = [0, -1, 1.5, NaN, Infinity, 2 ** 53, 2 ** 64, 10n, "10", null, undefined, {}] as readonly number[];

describe("the addon checks every argument by itself", () => {
  let device: Handle<"device">;

  beforeEach(async () => {
    openTestDriver();
    const { handle } = unwrap(native().openDriver(libraryPath));
    device = unwrap(await native().openDevice(handle, 0)).handle;
  });

  afterEach(async () => {
    unwrap(await native().closeDevice(device));
  });

  itWithFaults("BO-4 IO-1 IO-3 MS-003 test_safe_cuda_operations test_allocation_overflow_prevented sizes, before the driver is called", async () => {
    const { calls } = simulatorStats();
    for (const size of NO_SIZES) expect(await native().allocate(device, size, 0, true, false, false)).toHaveProperty("error.code", "INVALID_INPUT");
    for (const lead of [8, 4096, -16, NaN, 0.5, 2 ** 53]) expect(await native().allocate(device, 1, lead, true, false, false)).toHaveProperty("error.code", "INVALID_INPUT");
    for (const flags of [[1, false, false], [true, 1, false], [true, false, 1]] as unknown as [boolean, boolean, boolean][]) {
      expect(await native().allocate(device, 1, 0, ...flags)).toHaveProperty("error.code", "INVALID_INPUT");
    }
    expect(simulatorStats().calls).toEqual(calls);
  });

  itWithFaults("BO-1 BO-2 test_safe_memcpy chunks that do not fit, and what is no Uint8Array", async () => {
    const { handle } = unwrap(await native().allocate(device, 1024, 0, true, false, false));
    const copies = simulatorStats().calls["cuMemcpyHtoDAsync_v2"];
    for (const chunk of [new Uint8Array(1025), new Uint8Array(8 * MIB), new Uint16Array(4), new DataView(new ArrayBuffer(4)), [1], "a", null]) {
      expect(native().append(handle, chunk as Uint8Array)).toHaveProperty("error.code", "INVALID_INPUT");
    }
    expect(simulatorStats().calls["cuMemcpyHtoDAsync_v2"]).toBe(copies);
  });

  it("BO-1 BO-2 ranges, digests, limits and blocks of what is read and repaired", async () => {
    const { handle } = unwrap(await native().allocate(device, 5000, 0, true, false, false));
    native().append(handle, pattern(5000));
    unwrap(await native().finishLoad(handle));
    unwrap(await native().freeze(handle));
    expect(await native().digest(handle, undefined as unknown as boolean)).toHaveProperty("error.code", "INVALID_INPUT");
    const digest = unwrap(await native().digest(handle, true));
    const answers = [
      ...NO_SIZES.map((length) => () => native().inspectRange(handle, 0, length)),
      ...[-1, 1.5, NaN, 5000, 2 ** 53].map((offset) => () => native().inspectRange(handle, offset, 1)),
      () => native().inspectRange(handle, 2 ** 53 - 1, 2 ** 53 - 1),
      ...NO_SIZES.map((limit) => () => native().locate(handle, digest, limit)),
      ...[digest.slice(1), digest.toUpperCase() + "0", `${digest}0`, 1, null].map((wrong) => () => native().locate(handle, wrong as string, 1)),
      () => native().repair(handle, "0", [0], new Uint8Array(4096)),
      ...[4095, 5000, 8192].map((length) => () => native().repair(handle, digest, [0], new Uint8Array(length))),
      ...[-1, 0.5, NaN, 2 ** 53, "0"].map((index) => () => native().repair(handle, digest, [index as number], new Uint8Array(4096))),
      () => native().repair(handle, digest, [], new Uint8Array(0)),
      () => native().repair(handle, digest, 0 as unknown as number[], new Uint8Array(4096)),
      () => native().repair(handle, digest, [0], new Uint16Array(2048) as unknown as Uint8Array),
    ];
    for (const answer of answers) expect(await answer(), String(answer)).toHaveProperty("error.code", "INVALID_INPUT");
    expect(await native().repair(handle, digest, [2], new Uint8Array(4096))).toHaveProperty("value.cause.code", "INVALID_INPUT");
    expect(unwrap(await native().digest(handle, false))).toBe(digest);
  });

  it("BO-1 IO-4 file descriptors and file lengths", async () => {
    const { handle } = unwrap(await native().allocate(device, 1024, 0, true, false, false));
    for (const fd of [-1, 1.5, NaN, 2 ** 31, 2 ** 53, "0"]) {
      expect(await native().appendFile(handle, fd as number, 0, 10)).toHaveProperty("error.code", "INVALID_INPUT");
    }
    for (const offset of [-1, 1.5, NaN, 2 ** 53]) {
      expect(await native().appendFile(handle, 0, offset, 10)).toHaveProperty("error.code", "INVALID_INPUT");
    }
    for (const byteLength of [1025, -1, 1.5, NaN, 2 ** 53]) {
      expect(await native().appendFile(handle, 0, 0, byteLength)).toHaveProperty("error.code", "INVALID_INPUT");
    }
  });
});

describe("sizes", () => {
  it("IO-1 a size whose rounding exceeds 2^53 - 1 is refused", async () => {
    const device = await openTestDevice();
    expect(() => device.allocatedSize(Number.MAX_SAFE_INTEGER)).toThrow(/2\^53/);
    await expectCode(device.allocate(Number.MAX_SAFE_INTEGER), "INVALID_INPUT");
    expect(device.allocatedSize(1)).toBe(device.granularityBytes);
    expect(device.allocatedSize(device.granularityBytes + 1)).toBe(2 * device.granularityBytes);
  });

  itWithFaults("VP-004 RP-004 WORKER-4153 test_insufficient_vram an allocation beyond the free memory fails at once with both numbers", async () => {
    const device = await openSimulated({ devices: [{ memoryBytes: 64 * MIB }] });
    const before = footprint();
    const { freeBytes } = await device.memory();
    const error = await expectCode(device.allocate(100 * MIB), "INSUFFICIENT_VRAM");
    expect(error.details).toMatchObject({ neededBytes: 100 * MIB, availableBytes: freeBytes, entryPoint: "cuMemCreate", result: 2 });
    expect(footprint()).toEqual(before);
  });

  it("a part of a larger buffer is taken as the bytes it shows", async () => {
    const device = await openTestDevice();
    const whole = pattern(5000);
    const allocation = await device.allocate(4000);
    await allocation.append(whole.subarray(500, 4500));
    const { fsverity } = await allocation.finishLoad();
    const again = await device.allocate(4000);
    await again.append(Buffer.from(whole.slice(500, 4500)));
    expect((await again.finishLoad()).fsverity).toBe(fsverity);
  });
});
