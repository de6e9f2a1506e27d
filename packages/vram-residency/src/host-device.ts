import type { Device, DeviceFacts, Driver } from "vram-cuda";
import { createCapacity } from "vram-policy";
import type { Capacity, CapacitySnapshot, PolicyReport } from "vram-policy";
import { invalidInput } from "./errors.js";

/** A device by its ordinal or its UUID ("GPU-..."). */
export type DeviceSelector = number | string;

/** A device as the policy judged it, before it is opened. */
export interface JudgedDevice {
  readonly facts: DeviceFacts;
  /** What the policy found of driver and device. */
  readonly report: PolicyReport;
}

/** A device that a worker has open. */
export interface HostDevice {
  readonly device: Device;
  readonly capacity: Capacity;
  /** What the policy found of driver and device when the worker was opened. */
  readonly report: PolicyReport;
}

/** @throws VramError `INVALID_INPUT` for a device that is not there, or that is named twice */
export function selectDevices(present: readonly DeviceFacts[], selectors: readonly DeviceSelector[]): readonly DeviceFacts[] {
  const selected = new Set<DeviceFacts>();
  for (const selector of selectors) {
    const facts = present.find((each) => isNamed(each, selector));
    if (facts === undefined) throw invalidInput("options.device", `name one of the ${present.length} devices present`);
    if (selected.has(facts)) throw invalidInput("options.device", "name each device once");
    selected.add(facts);
  }
  return [...selected];
}

/** Opens all of the devices, or none. `reserveBytes` of each are never given out, nor is its workspace. */
export async function openHostDevices(driver: Driver, judged: readonly JudgedDevice[], reserveBytes: number): Promise<readonly HostDevice[]> {
  const opened: HostDevice[] = [];
  try {
    for (const { facts, report } of judged) {
      const device = await driver.openDevice(facts.ordinal);
      const capacity = createCapacity({ totalBytes: facts.totalBytes, reserveBytes: reserveBytes + device.workspaceBytes });
      opened.push({ device, capacity, report });
    }
    return opened;
  } catch (error) {
    await closeHostDevices(opened);
    throw error;
  }
}

export async function closeHostDevices(hosts: readonly HostDevice[]): Promise<void> {
  await Promise.all(hosts.map(({ device }) => device.close()));
}

/** The open device that is named; without a name the first. @throws VramError `INVALID_INPUT` */
export function findHost(hosts: readonly HostDevice[], selector: DeviceSelector | undefined, argument: string): HostDevice {
  const found = selector === undefined ? hosts[0] : hosts.find(({ device }) => isNamed(device.facts, selector));
  if (found !== undefined) return found;
  throw invalidInput(argument, "name one of the residency's devices");
}

/** Takes the devices that are named by turns, without names all of them. What it answers throws `INVALID_INPUT`. */
export function hostsInTurn(
  hosts: readonly HostDevice[],
  selectors: readonly DeviceSelector[] = hosts.map(({ device }) => device.facts.ordinal),
): (index: number) => HostDevice {
  return (index) => findHost(hosts, selectors[index % selectors.length], "options.devices");
}

export function totalCapacity(hosts: readonly HostDevice[]): CapacitySnapshot {
  const snapshots = hosts.map(({ capacity }) => capacity.snapshot());
  const sum = (field: keyof CapacitySnapshot): number => snapshots.reduce((total, each) => total + each[field], 0);
  return {
    totalBytes: sum("totalBytes"),
    availableBytes: sum("availableBytes"),
    usedBytes: sum("usedBytes"),
    reservedBytes: sum("reservedBytes"),
  };
}

function isNamed({ ordinal, uuid }: DeviceFacts, selector: DeviceSelector): boolean {
  return selector === ordinal || selector === uuid;
}
