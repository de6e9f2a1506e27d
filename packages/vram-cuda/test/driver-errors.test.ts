import { failCall, loseDevice, simulatorStats } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import type { CudaErrorCode } from "../src/index.js";
import { WIPED, openSimulated } from "./fixture.js";
import { MIB, NOTHING, expectCode, footprint, loadInto, openSimulatedDriver, pattern } from "./simulated.js";

const NOT_PERMITTED = 800;
const LOST = [46, 214, 700, 716, 719, 999];

describe("every driver call that fails", () => {
  it.each([
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetName",
    "cuDeviceGetUuid_v2",
    "cuDeviceTotalMem_v2",
    "cuDevicePrimaryCtxRetain",
    "cuCtxSetCurrent",
    "cuStreamCreate",
    "cuModuleLoadDataEx",
    "cuModuleGetFunction",
    "cuMemGetAllocationGranularity",
    "cuLaunchKernel",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemsetD32Async",
    "cuMemsetD8Async",
    "cuStreamSynchronize",
  ])("open: %s is CUDA_FAILED and nothing stays", async (entryPoint) => {
    const driver = openSimulatedDriver();
    failCall({ entryPoint, code: NOT_PERMITTED });
    const error = await expectCode(driver.openDevice(0), "CUDA_FAILED");
    expect(error.details).toEqual({ entryPoint, result: NOT_PERMITTED, resultName: "CUDA_ERROR_NOT_PERMITTED" });
    expect(footprint()).toEqual(NOTHING);
  });

  it.each(["cuMemCreate", "cuMemAddressReserve", "cuMemMap", "cuMemSetAccess", "cuMemRelease"])(
    "open: %s for the workspace is CUDA_ALLOCATION_FAILED and nothing stays",
    async (entryPoint) => {
      const driver = openSimulatedDriver();
      failCall({ entryPoint, code: NOT_PERMITTED });
      await expectCode(driver.openDevice(0), "CUDA_ALLOCATION_FAILED");
      expect(footprint()).toEqual(NOTHING);
    },
  );

  it.each([
    ["cuMemCreate", NOT_PERMITTED, "CUDA_ALLOCATION_FAILED"],
    ["cuMemCreate", 2, "INSUFFICIENT_VRAM"],
    ["cuMemAddressReserve", 2, "CUDA_ALLOCATION_FAILED"],
    ["cuMemMap", NOT_PERMITTED, "CUDA_ALLOCATION_FAILED"],
    ["cuMemSetAccess", NOT_PERMITTED, "CUDA_ALLOCATION_FAILED"],
    ["cuMemRelease", NOT_PERMITTED, "CUDA_ALLOCATION_FAILED"],
  ] satisfies [string, number, CudaErrorCode][])("WORKER-4150 allocate: %s answering %i is %s and nothing stays", async (entryPoint, code, expected) => {
    const device = await openSimulated();
    const before = footprint();
    failCall({ entryPoint, code });
    const error = await expectCode(device.allocate(5000), expected);
    expect(error.details).toMatchObject({ entryPoint, result: code });
    expect(footprint()).toEqual(before);
    expect(device.takeTeardownFailures()).toEqual([]);
    expect((await device.allocate(5000)).state).toBe("loading");
  });

  it.each(["cuMemcpyHtoDAsync_v2", "cuStreamSynchronize", "cuMemsetD8Async"])(
    "WORKER-4151 load: %s is CUDA_FAILED, not an allocation failure, and the memory is wiped",
    async (entryPoint) => {
      const device = await openSimulated();
      const before = footprint();
      const allocation = await device.allocate(5000);
      failCall({ entryPoint, code: NOT_PERMITTED });
      // The copy runs on its own threads: whichever call comes after its failure tells of it.
      const load = allocation.append(pattern(5000)).then(() => allocation.finishLoad());
      await expectCode(load, "CUDA_FAILED");
      expect(await allocation.release()).toEqual(WIPED);
      expect(footprint()).toEqual(before);
    },
  );

  it("freeze: cuMemSetAccess is CUDA_FAILED and the allocation is not frozen", async () => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(100));
    failCall({ entryPoint: "cuMemSetAccess", code: NOT_PERMITTED });
    await expectCode(allocation.freeze(), "CUDA_FAILED");
    expect(allocation.state).toBe("loaded");
    await allocation.freeze();
    expect((await allocation.placement()).access).toBe("read");
  });

  it.each(["cuMemsetD32Async", "cuMemsetD8Async", "cuLaunchKernel", "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize"])(
    "digest: %s is CUDA_FAILED and the next digest is good",
    async (entryPoint) => {
      const device = await openSimulated();
      const allocation = await loadInto(device, pattern(9000));
      const good = await allocation.digest();
      failCall({ entryPoint, code: NOT_PERMITTED });
      await expectCode(allocation.digest(), "CUDA_FAILED");
      expect(await allocation.digest()).toBe(good);
    },
  );

  it("memory: cuMemGetInfo_v2 is CUDA_FAILED", async () => {
    const device = await openSimulated();
    failCall({ entryPoint: "cuMemGetInfo_v2", code: NOT_PERMITTED });
    await expectCode(device.memory(), "CUDA_FAILED");
  });

  it("MS-004 MS-005 close: what the driver refuses is a teardown failure and never a rejection", async () => {
    const device = await openSimulated();
    failCall({ entryPoint: "cuStreamDestroy_v2", code: NOT_PERMITTED });
    failCall({ entryPoint: "cuModuleUnload", code: NOT_PERMITTED });
    await device.close();
    expect(device.takeTeardownFailures()).toEqual([
      { bufferId: null, code: "CUDA_FAILED" },
      { bufferId: null, code: "CUDA_FAILED" },
    ]);
    expect(device.takeTeardownFailures()).toEqual([]);
  });
});

describe("a lost device", () => {
  it.each(LOST)("%i during a digest is DEVICE_LOST, from then on for everything, and nothing is called any more", async (code) => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(5000));
    failCall({ entryPoint: "cuLaunchKernel", code });
    const error = await expectCode(allocation.digest(), "DEVICE_LOST");
    expect(error.details).toMatchObject({ entryPoint: "cuLaunchKernel", result: code });
    const { calls } = simulatorStats();
    await expectCode(allocation.digest(), "DEVICE_LOST");
    await expectCode(allocation.placement(), "DEVICE_LOST");
    await expectCode(allocation.freeze(), "DEVICE_LOST");
    await expectCode(device.allocate(1), "DEVICE_LOST");
    await expectCode(device.memory(), "DEVICE_LOST");
    expect(simulatorStats().calls).toEqual(calls);
  });

  it.each([46, 214, 700, 719, 999] as const)("MS-004 %i before a release is told as lost, not as wiped, once and for all", async (code) => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(5000));
    loseDevice(code);
    const report = await allocation.release();
    expect(report).toMatchObject({ wiped: false, lost: true, cause: { code: "DEVICE_LOST", details: { result: code } } });
    expect(await allocation.release()).toBe(report);
    await device.close();
    expect(simulatorStats().contexts).toBe(0);
  });

  it("a device lost while chunks are on their way is DEVICE_LOST", async () => {
    const device = await openSimulated();
    const allocation = await device.allocate(20 * MIB);
    failCall({ entryPoint: "cuStreamSynchronize", code: 719, after: 1 });
    await expectCode(
      allocation.append(new Uint8Array(20 * MIB)).then(() => allocation.finishLoad()),
      "DEVICE_LOST",
    );
    expect((await allocation.release()).lost).toBe(true);
  });
});
