import { simulator } from "vram-simulator";
import { resetSimulator } from "vram-simulator/control";
import type { SimulatorConfig } from "vram-simulator/control";
import { expect, it, onTestFinished } from "vitest";
import { CudaError, openDriver } from "../src/index.js";
import type { Allocation, Device, Driver } from "../src/index.js";

/** The tests run on the simulator, or with `VRAM_TEST_BACKEND=cuda` on the machine's GPU. */
export const onGpu = process.env["VRAM_TEST_BACKEND"] === "cuda";

/** The driver library that the tests run on, as the addon takes it. */
export const libraryPath = onGpu ? null : simulator().libraryPath;

/** A test of what only the simulator does or tells: faults, another device, what it holds. On a GPU it is skipped. */
export const itWithFaults = it.skipIf(onGpu);

/** The report of a release that did all it should. */
export const WIPED = { wiped: true, freed: true, lost: false, wipeMs: expect.any(Number) as number };

/** Byte i is i mod 251, as in the vectors. */
export function patternBytes(byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => index % 251);
}

/** The driver that the tests run on; a simulated one is fresh. */
export function openTestDriver(): Driver {
  if (!onGpu) resetSimulator();
  return openDriver(libraryPath === null ? undefined : { libraryPath });
}

/** The first device that the tests run on, closed after the test; on the simulator, of a machine with these devices. */
export async function openTestDevice(config: SimulatorConfig = {}): Promise<Device> {
  if (!onGpu) return openSimulated(config);
  const device = await openTestDriver().openDevice(0);
  onTestFinished(() => device.close());
  return device;
}

/** A device of a fresh simulator; closed after the test. */
export async function openSimulated(config: SimulatorConfig = {}): Promise<Device> {
  resetSimulator(config);
  const device = await openDriver(simulator()).openDevice(0);
  onTestFinished(() => device.close());
  return device;
}

/** An allocation that holds `bytes`, mapped read-only. */
export async function sealable(device: Device, bytes: Uint8Array): Promise<Allocation> {
  const allocation = await device.allocate(bytes.byteLength);
  await allocation.append(bytes);
  await allocation.finishLoad();
  await allocation.freeze();
  return allocation;
}

/** The `CudaError` that an operation ends in. */
export async function failure(operation: () => unknown): Promise<CudaError> {
  try {
    await operation();
  } catch (error) {
    if (error instanceof CudaError) return error;
    throw error;
  }
  throw new Error("expected a CudaError, got a value");
}
