import { simulator } from "vram-simulator";
import { resetSimulator } from "vram-simulator/control";
import type { SimulatorConfig } from "vram-simulator/control";
import { onTestFinished } from "vitest";
import { CudaError, openDriver } from "../src/index.js";
import type { Allocation, Device } from "../src/index.js";

/** Byte i is i mod 251, as in the vectors. */
export function patternBytes(byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => index % 251);
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
