import { createHash } from "node:crypto";
import { simulator } from "vram-simulator";
import { resetSimulator, simulatorStats } from "vram-simulator/control";
import type { SimulatorConfig } from "vram-simulator/control";
import { expect } from "vitest";
import { CudaError, openDriver } from "../src/index.js";
import type { Allocation, CudaErrorCode, Device, Driver } from "../src/index.js";
import { onGpu } from "./fixture.js";

export const MIB = 1024 * 1024;

/** The driver of a fresh simulator. */
export function openSimulatedDriver(config?: SimulatorConfig): Driver {
  resetSimulator(config);
  return openDriver(simulator());
}

/** Data byte i = i mod 251, as the vectors have it. */
export function pattern(byteLength: number): Uint8Array {
  const period = Uint8Array.from({ length: 251 }, (_, i) => i);
  const data = new Uint8Array(byteLength);
  for (let offset = 0; offset < byteLength; offset += 251) data.set(period.subarray(0, byteLength - offset), offset);
  return data;
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** An allocation that holds `data`, not yet frozen. */
export async function loadInto(device: Device, data: Uint8Array): Promise<Allocation> {
  const allocation = await device.allocate(data.byteLength);
  await allocation.append(data);
  await allocation.finishLoad();
  return allocation;
}

export async function bufferIdOf(allocation: Allocation): Promise<string> {
  const { bufferId } = await allocation.placement();
  if (bufferId === null) throw new Error("the driver tells every buffer id");
  return bufferId;
}

export async function errorOf(promise: Promise<unknown>): Promise<CudaError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof CudaError) return outcome;
  throw new Error("a CudaError was expected", { cause: outcome });
}

export async function expectCode(promise: Promise<unknown>, code: CudaErrorCode): Promise<CudaError> {
  const error = await errorOf(promise);
  expect(error.code).toBe(code);
  return error;
}

/** What the simulated driver holds. A GPU's does not tell. */
export function footprint(): object {
  if (onGpu) return {};
  const { allocatedBytes, reservations, contexts, streams, modules } = simulatorStats();
  return { allocatedBytes, reservations, contexts, streams, modules };
}

export const NOTHING = onGpu ? {} : { allocatedBytes: 0, reservations: 0, contexts: 0, streams: 0, modules: 0 };

/** So many allocations, the digest workspace included, went back to the simulated device, all zeroed. A GPU does not tell. */
export function expectZeroed(count: number): void {
  if (onGpu) return;
  expect(simulatorStats().freed.map(({ zeroed }) => zeroed)).toEqual(Array<boolean>(count).fill(true));
}
