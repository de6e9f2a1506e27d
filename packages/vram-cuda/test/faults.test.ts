import { Worker } from "node:worker_threads";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { simulator } from "vram-simulator";
import { failCall, faultCopy, loseDevice, resetSimulator, simulatorStats } from "vram-simulator/control";
import { openDriver } from "../src/index.js";
import { WIPED, failure, openSimulated, patternBytes, sealable } from "./fixture.js";

const ALLOCATION_STEPS = ["cuMemCreate", "cuMemAddressReserve", "cuMemMap", "cuMemSetAccess"];

describe("driver errors", () => {
  it.each(ALLOCATION_STEPS)("IO-1 %s failing leaves nothing allocated and is told with its numbers", async (entryPoint) => {
    const device = await openSimulated();
    const before = simulatorStats();
    failCall({ entryPoint, code: 1 });
    const { code, details } = await failure(() => device.allocate(5000));
    expect(code).toBe("CUDA_ALLOCATION_FAILED");
    expect(details).toMatchObject({ entryPoint, result: 1, resultName: "CUDA_ERROR_INVALID_VALUE" });
    const { allocations, reservations, allocatedBytes } = simulatorStats();
    expect({ allocations, reservations, allocatedBytes }).toEqual({
      allocations: before.allocations,
      reservations: before.reservations,
      allocatedBytes: before.allocatedBytes,
    });
  });

  it("VP-004 WORKER-4153 no room is INSUFFICIENT_VRAM with both numbers", async () => {
    const device = await openSimulated({ devices: [{ memoryBytes: 64 << 20 }] });
    const { code, details } = await failure(() => device.allocate(60 << 20));
    expect(code).toBe("INSUFFICIENT_VRAM");
    expect(details).toMatchObject({ neededBytes: 60 << 20, availableBytes: (64 << 20) - device.workspaceBytes });
  });

  it.each([46, 214, 700, 719, 999])("a context lost with %i is DEVICE_LOST from then on; release and close still end", async (code) => {
    const device = await openSimulated();
    const allocation = await sealable(device, patternBytes(5000));
    loseDevice(code);
    expect((await failure(() => allocation.digest())).code).toBe("DEVICE_LOST");
    expect((await failure(() => device.memory())).code).toBe("DEVICE_LOST");
    expect(await allocation.release()).toMatchObject({ wiped: false, lost: true });
    await device.close();
  });

  it("MS-004 a wipe that the driver answers but does not do is seen, and the memory stays mapped", async () => {
    const device = await openSimulated();
    const allocation = await sealable(device, patternBytes(5000));
    failCall({ entryPoint: "cuMemsetD8Async", code: 1 });
    expect(await allocation.release()).toMatchObject({ wiped: false, lost: false, cause: { code: "CUDA_FAILED" } });
    expect(simulatorStats().allocations).toHaveLength(2);
    expect(await allocation.release()).toEqual(WIPED);
  });

  it("a copy that is dropped shows as another digest", async () => {
    const device = await openSimulated();
    faultCopy({ direction: "toDevice", mode: "drop" });
    const allocation = await device.allocate(5000);
    await allocation.append(patternBytes(5000));
    const { fsverity } = await allocation.finishLoad();
    expect(await allocation.digest()).not.toBe(fsverity);
  });

  it("DRIVER_UNAVAILABLE for a driver older than the floor, a missing library, and no device", async () => {
    resetSimulator({ driverVersion: 12_010 });
    expect((await failure(() => openDriver(simulator()))).code).toBe("DRIVER_UNAVAILABLE");
    expect((await failure(() => openDriver({ libraryPath: "/nonexistent/lib.so" }))).code).toBe("DRIVER_UNAVAILABLE");
    resetSimulator({ devices: [] });
    expect((await failure(() => openDriver(simulator()))).code).toBe("DRIVER_UNAVAILABLE");
  });

  it("PB-4 the simulator is known by its mark", () => {
    resetSimulator();
    expect(openDriver(simulator()).facts.backend).toBe("simulator");
  });
});

const dist = (name: string): string => fileURLToPath(new URL(`../../${name}/dist/index.js`, import.meta.url));
const SCRIPT = `
  import { openDriver } from ${JSON.stringify(dist("vram-cuda"))};
  import { simulator } from ${JSON.stringify(dist("vram-simulator"))};
  const device = await openDriver(simulator()).openDevice(0);
  const allocation = await device.allocate(5000);
  await allocation.append(new Uint8Array(5000).fill(7));
  await allocation.finishLoad();
`;

function run(code: string, ...flags: string[]): string {
  return execFileSync(process.execPath, [...flags, "--input-type=module", "-e", SCRIPT + code], { encoding: "utf8" });
}

describe("CD-6 MS-005 test_drop_never_panics the end of a process or thread", () => {
  it("with live memory is clean", () => {
    expect(run('console.log("end");')).toBe("end\n");
  });

  it("by process.exit in the middle of a digest is clean", () => {
    expect(run('void allocation.digest(); console.log("end"); process.exit(0);')).toBe("end\n");
  });

  it("collected memory is wiped and freed without a word", () => {
    const code = `
      const { simulatorStats } = await import(${JSON.stringify(dist("vram-simulator").replace("index.js", "control.js"))});
      await (async () => { const other = await device.allocate(5000); await other.append(new Uint8Array(5000).fill(9)); await other.finishLoad(); })();
      for (let round = 0; round < 200 && simulatorStats().freed.length === 0; round += 1) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      console.log(JSON.stringify(simulatorStats().freed.map(({ zeroed }) => zeroed)), device.takeTeardownFailures().length);`;
    expect(run(code, "--expose-gc")).toBe("[true] 0\n");
  });

  it("a worker thread has handles of its own, and its memory goes with it", async () => {
    resetSimulator();
    const worker = new Worker(`(async () => {${SCRIPT.replace(/import \{ (\w+) \} from (.*);/g, "const { $1 } = await import($2);")}})()`, { eval: true });
    const code = await new Promise((resolve) => worker.on("exit", resolve));
    expect(code).toBe(0);
    expect(simulatorStats()).toMatchObject({ allocations: [], contexts: 0, allocatedBytes: 0 });
    expect(simulatorStats().freed.every(({ zeroed }) => zeroed)).toBe(true);
  });
});
