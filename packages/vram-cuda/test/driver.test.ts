import { failCall, resetSimulator, setPointerAttribute } from "vram-simulator/control";
import { simulator } from "vram-simulator";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CudaError, openDriver } from "../src/index.js";
import { itWithFaults, openSimulated, openTestDevice } from "./fixture.js";
import { expectCode, loadInto, openSimulatedDriver, pattern, sha256 } from "./simulated.js";

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CudaError) return error.code;
    throw error;
  }
  throw new Error("an error was expected");
}

describe("openDriver", () => {
  itWithFaults("PB-4 test_ram_inference_rejected the simulator is told as such, with its library's digest", () => {
    const { facts } = openSimulatedDriver();
    expect(facts).toMatchObject({ backend: "simulator", driverVersion: "12.4" });
    expect(facts.librarySha256).toBe(sha256(readFileSync(simulator().libraryPath)));
  });

  itWithFaults("no device, an old driver and a library that is none are DRIVER_UNAVAILABLE", () => {
    resetSimulator({ devices: [] });
    expect(codeOf(() => openDriver(simulator()))).toBe("DRIVER_UNAVAILABLE");
    resetSimulator({ driverVersion: 12_010 });
    expect(codeOf(() => openDriver(simulator()))).toBe("DRIVER_UNAVAILABLE");
    expect(codeOf(() => openDriver({ libraryPath: "/nonexistent/libcuda.so.1" }))).toBe("DRIVER_UNAVAILABLE");
  });

  itWithFaults.each(["cuInit", "cuDriverGetVersion"])("%s failing is DRIVER_UNAVAILABLE with what the driver answered", (entryPoint) => {
    resetSimulator();
    failCall({ entryPoint, code: 999 });
    const error = (() => {
      try {
        return openDriver(simulator());
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toMatchObject({ code: "DRIVER_UNAVAILABLE", details: { entryPoint, result: 999 } });
  });

  it.each(["", "libcuda.so.1", "./x", "/a\0b", 1, null, undefined, {}])("libraryPath %j is INVALID_INPUT", (libraryPath) => {
    expect(codeOf(() => openDriver({ libraryPath: libraryPath as string }))).toBe("INVALID_INPUT");
  });

  it("WORKER-4152 the message has a remedy and no path", () => {
    const error = (() => {
      try {
        return openDriver({ libraryPath: "/nonexistent/private-folder/libcuda.so.1" });
      } catch (caught) {
        return caught as CudaError;
      }
    })();
    expect(error).toBeInstanceOf(CudaError);
    const { message, stack = "" } = error as CudaError;
    expect(message).toContain("vram-simulator");
    expect(message + stack).not.toContain("private-folder");
  });
});

describe("devices", () => {
  itWithFaults("IV-002 test_gpu_device_validation a device is found by ordinal and by uuid, and nothing else is one", async () => {
    const driver = openSimulatedDriver({ devices: [{ name: "One" }, { name: "Two" }] });
    const [, second] = driver.devices();
    if (second === undefined) throw new Error("two devices");
    for (const selector of [1, second.uuid]) {
      const device = await driver.openDevice(selector);
      expect(device.facts.name).toBe("Two");
      await device.close();
    }
    for (const selector of [-1, 2, 0.5, NaN, 2 ** 53, "1", "", "GPU-", second.uuid.toUpperCase(), `${second.uuid}\0`, null, undefined, 1n]) {
      await expectCode(driver.openDevice(selector as number), "INVALID_INPUT");
    }
  });

  itWithFaults("PB-1 test_uma_disabled attributes are told as the driver answers them, and null where it does not", () => {
    const driver = openSimulatedDriver({ devices: [{ attributes: { 18: 1, 100: 1, 130: 2, 32: 0 } }] });
    expect(driver.devices()[0]).toMatchObject({ integrated: true, pageableMemoryAccessUsesHostPageTables: true, numaConfig: 2, ecc: false });
    failCall({ entryPoint: "cuDeviceGetAttribute", code: 801, sticky: true });
    expect(driver.devices()[0]).toMatchObject({ integrated: null, ecc: null, computeCapability: null, multiprocessorCount: null });
  });
});

describe("placement", () => {
  it("VP-005 tells a frozen allocation's facts", async () => {
    const device = await openTestDevice({ devices: [{}, {}] });
    const allocation = await loadInto(device, pattern(100));
    await allocation.freeze();
    const facts = await allocation.placement();
    expect(facts).toMatchObject({
      memoryType: "device",
      isManaged: false,
      hostPointer: false,
      deviceOrdinal: 0,
      rangeCoversAllocation: true,
      allowedHandleTypes: 0,
      legacyIpcCapable: false,
      gpuDirectRdmaCapable: false,
      mempool: false,
      access: "read",
      accessibleFromOtherDevices: false,
    });
    expect(facts.bufferId).toMatch(/^\d+$/);
    expect(facts.blockId).toMatch(/^\d+$/);
  });

  itWithFaults("PB-1 PB-2 PB-3 test_uma_detection test_zero_copy_disabled managed and host memory show, and ids keep all their 64 bits", async () => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(100));
    setPointerAttribute(2, 1);
    setPointerAttribute(8, 1);
    setPointerAttribute(4, 4096);
    setPointerAttribute(20, 2n ** 64n - 1n);
    expect(await allocation.placement()).toMatchObject({ memoryType: "host", isManaged: true, hostPointer: true, blockId: "18446744073709551615" });
  });

  itWithFaults.each([2, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 20])("an attribute that cannot be read (%i) is null, never a good value", async (attribute) => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(100));
    setPointerAttribute(attribute, 0, 801);
    const unknown = Object.values(await allocation.placement()).filter((value) => value === null);
    expect(unknown).toHaveLength(1);
  });
});
