import v8 from "node:v8";
import { inspect } from "node:util";
import { failCall } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import type { CudaError } from "../src/index.js";
import { itWithFaults, openSimulated, openTestDevice, openTestDriver } from "./fixture.js";
import { errorOf, loadInto, pattern } from "./simulated.js";

/** Hex or decimal text long enough to be an address; digests and byte counts of these tests are not. */
const ADDRESS = /0x[0-9a-f]{6,}|(?<![0-9a-f-])[0-9]{13,20}(?![0-9a-f])/i;

function expectNoAddress(text: string): void {
  expect(text).not.toMatch(ADDRESS);
}

describe("addresses", () => {
  it("PL-1 PL-3 MS-001 test_vram_ptr_not_exposed test_vram_ptr_not_in_debug no property, symbol or inspection of any object carries one", async () => {
    const driver = openTestDriver();
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(5000));
    await allocation.freeze();
    for (const object of [driver, device, allocation, await allocation.placement(), await device.memory()]) {
      expectNoAddress(inspect(object, { showHidden: true, depth: Infinity, getters: true, showProxy: true }));
      for (let level: object | null = object; level !== null && level !== Object.prototype; level = Reflect.getPrototypeOf(level)) {
        for (const key of Reflect.ownKeys(level)) {
          const value: unknown = Reflect.get(level, key, object);
          expect(typeof value).not.toBe("bigint");
          if (typeof value === "number") expect(value).toBeLessThan(2 ** 40);
        }
      }
    }
  });

  it("PL-2 test_vram_ptr_not_in_json JSON, structuredClone and v8.serialize carry none", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(5000));
    for (const object of [device, allocation, await allocation.placement()]) {
      expectNoAddress(JSON.stringify(object));
      expectNoAddress(inspect(structuredClone(object), { depth: Infinity }));
      expectNoAddress(inspect(v8.deserialize(v8.serialize(object)), { depth: Infinity }));
    }
  });

  itWithFaults("PL-4 WORKER-4152 test_errors_dont_expose_pointers no error of any entry point carries one", async () => {
    const errors: CudaError[] = [];
    for (const entryPoint of ["cuMemAddressReserve", "cuMemMap", "cuMemSetAccess", "cuMemCreate", "cuMemRelease"]) {
      const device = await openSimulated();
      failCall({ entryPoint, code: 800 });
      errors.push(await errorOf(device.allocate(100)));
    }
    for (const entryPoint of ["cuMemsetD32Async", "cuMemsetD8Async", "cuLaunchKernel", "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize"]) {
      const device = await openSimulated();
      const allocation = await loadInto(device, pattern(5000));
      failCall({ entryPoint, code: 800 });
      errors.push(await errorOf(allocation.digest()));
      failCall({ entryPoint: "cuMemUnmap", code: 719 });
      const { cause } = await allocation.release();
      if (cause !== undefined) errors.push(cause);
    }
    expect(errors).toHaveLength(15);
    for (const error of errors) {
      expectNoAddress(inspect(error, { showHidden: true, depth: Infinity }).replaceAll(/file:.*$/gm, ""));
      expectNoAddress(JSON.stringify(error.details));
      expect(Object.isFrozen(error.details)).toBe(true);
    }
  });
});
