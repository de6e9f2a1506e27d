import { failCall, flipBit, simulatorStats, skipKernel } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { WIPED, itWithFaults, onGpu, openSimulated, openTestDevice } from "./fixture.js";
import { NOTHING, bufferIdOf, expectCode, expectZeroed, footprint, loadInto, pattern } from "./simulated.js";

describe("release", () => {
  it("MS-004 thaws, zeroes, checks and frees: the device got back nothing but zeros", async () => {
    const device = await openTestDevice();
    const before = footprint();
    const allocation = await loadInto(device, pattern(5_000_000));
    await allocation.freeze();
    const bufferId = await bufferIdOf(allocation);
    expect(await allocation.release()).toEqual(WIPED);
    if (!onGpu) expect(simulatorStats().freed).toContainEqual({ bufferId, zeroed: true });
    expect(footprint()).toEqual(before);
    expect(allocation.state).toBe("released");
  });

  it("is idempotent, and every other operation is refused afterwards", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(100));
    const [first, second] = await Promise.all([allocation.release(), allocation.release()]);
    expect(second).toBe(first);
    await expectCode(allocation.append(new Uint8Array(1)), "INVALID_INPUT");
    await expectCode(allocation.finishLoad(), "INVALID_INPUT");
    await expectCode(allocation.freeze(), "INVALID_INPUT");
    await expectCode(allocation.digest(), "INVALID_INPUT");
    await expectCode(allocation.placement(), "INVALID_INPUT");
  });

  it("waits for a digest that runs", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(2_000_000));
    const order: string[] = [];
    const digest = allocation.digest().then(() => order.push("digest"));
    await allocation.release().then(() => order.push("release"));
    await digest;
    expect(order).toEqual(["digest", "release"]);
  });

  itWithFaults.each(["first", "last"] as const)("MS-004 one bit left after the wipe, in the %s byte, keeps the memory mapped and counted; the next release frees it", async (place) => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(5000));
    const held = footprint();
    const bufferId = await bufferIdOf(allocation);
    flipBit({ bufferId, byteOffset: place === "first" ? 0 : allocation.allocatedBytes - 1 }, { entryPoint: "cuLaunchKernel" });
    const report = await allocation.release();
    expect(report).toMatchObject({ wiped: false, lost: false, cause: { code: "INTEGRITY_VIOLATION" } });
    expect(footprint()).toEqual(held);
    expect(await allocation.release()).toEqual(WIPED);
    expect(simulatorStats().freed).toContainEqual({ bufferId, zeroed: true });
  });

  itWithFaults.each(["cuMemSetAccess", "cuMemsetD8Async", "cuStreamSynchronize", "cuLaunchKernel", "cuMemcpyDtoHAsync_v2"])(
    "MS-004 %s failing resolves with the cause and keeps the memory mapped",
    async (entryPoint) => {
      const device = await openSimulated();
      const allocation = await loadInto(device, pattern(5000));
      await allocation.freeze();
      const held = footprint();
      failCall({ entryPoint, code: 800 });
      const report = await allocation.release();
      expect(report).toMatchObject({ wiped: false, lost: false, cause: { code: "CUDA_FAILED", details: { entryPoint } } });
      expect(footprint()).toEqual(held);
      expect(await allocation.release()).toEqual(WIPED);
    },
  );

  itWithFaults.each(["cuMemUnmap", "cuMemAddressFree"])("MS-004 %s failing tells that the bytes are wiped, and a further release goes on", async (entryPoint) => {
    const device = await openSimulated();
    const before = footprint();
    const allocation = await loadInto(device, pattern(5000));
    failCall({ entryPoint, code: 800 });
    expect(await allocation.release()).toMatchObject({
      wiped: true,
      freed: entryPoint === "cuMemAddressFree",
      lost: false,
      cause: { details: { entryPoint } },
    });
    expect(await allocation.release()).toEqual({ ...WIPED, wipeMs: null });
    expect(footprint()).toEqual(before);
  });

  itWithFaults("MS-004 a kernel that is skipped proves no wipe", async () => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(5000));
    skipKernel();
    expect(await allocation.release()).toMatchObject({ wiped: false, cause: { code: "CUDA_FAILED" } });
    expect(await allocation.release()).toEqual(WIPED);
  });

  it("works on memory that nothing was loaded into, and in the middle of a load", async () => {
    const device = await openTestDevice();
    const before = footprint();
    const empty = await device.allocate(100);
    const half = await device.allocate(20 * 2 ** 20);
    await half.append(pattern(15 * 2 ** 20));
    expect(await empty.release()).toEqual(WIPED);
    expect(await half.release()).toEqual(WIPED);
    expect(footprint()).toEqual(before);
    expectZeroed(2);
  });
});

describe("close", () => {
  it("MS-004 wipes and frees what is left, is idempotent, and leaves nothing", async () => {
    const device = await openTestDevice();
    const kept = await loadInto(device, pattern(5000));
    await kept.freeze();
    await (await device.allocate(20 * 2 ** 20)).append(pattern(10 * 2 ** 20));
    await Promise.all([device.close(), device.close()]);
    expect(footprint()).toEqual(NOTHING);
    expectZeroed(3);
    expect(device.takeTeardownFailures()).toEqual([]);
    await expectCode(device.allocate(1), "INVALID_INPUT");
    await expectCode(device.memory(), "INVALID_INPUT");
    await expectCode(kept.digest(), "INVALID_INPUT");
    expect(await kept.release()).toEqual({ ...WIPED, wipeMs: null });
  });

  it("ends a digest that runs", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(5000));
    const digests = Array.from({ length: 5 }, async () => allocation.digest().catch((error: unknown) => error));
    await device.close();
    for (const outcome of await Promise.all(digests)) {
      if (typeof outcome !== "string") expect(outcome).toHaveProperty("code");
    }
    expect(footprint()).toEqual(NOTHING);
  });

  itWithFaults("MS-005 memory that cannot be wiped stays mapped and is a teardown failure", async () => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(5000));
    const bufferId = await bufferIdOf(allocation);
    failCall({ entryPoint: "cuMemsetD8Async", code: 800 });
    await device.close();
    expect(device.takeTeardownFailures()).toEqual([{ bufferId, code: "CUDA_FAILED" }]);
    expect(simulatorStats().allocations.map((left) => left.bufferId)).toEqual([bufferId]);
    expect(await allocation.release()).toMatchObject({ wiped: false, lost: false, cause: { code: "CUDA_FAILED" } });
  });
});
