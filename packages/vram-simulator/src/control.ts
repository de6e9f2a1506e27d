import { native } from "./native.js";
import type { SimulatorStats } from "./native.js";
import { invalidInput } from "./simulator-error.js";
import { integer } from "./validate.js";

export type { SimulatorStats };

/** A device of the simulator. */
export interface SimulatedDevice {
  /** Default: 2 GiB. */
  readonly memoryBytes?: number;
  readonly name?: string;
  /** Values of `CUdevice_attribute`s, by number; others are those of a discrete card. */
  readonly attributes?: Readonly<Record<number, number>>;
  /**
   * Processes that name the same file, up to 64, share the device's memory. It is made where there is none, and is of no use
   * to anything else. Memory of a process that ended, however it did, is free again.
   */
  readonly sharedMemoryFile?: string;
}

/** What the simulator starts with. */
export interface SimulatorConfig {
  /** Default: one device. */
  readonly devices?: readonly SimulatedDevice[];
  /** As `cuDriverGetVersion` answers it; default 12040. */
  readonly driverVersion?: number;
}

/** Which occasion a fault applies to: the one after `after` others (default 0), or every one from there on. */
export interface Occasion {
  readonly after?: number;
  readonly sticky?: boolean;
}

/** A bit of device memory. `bufferId` is the driver's id of the memory, as the seal statement tells it. */
export interface BitAddress {
  readonly bufferId: string;
  readonly byteOffset: number;
  /** 0 to 7; default 0. */
  readonly bit?: number;
}

/** Codes that end a device's context for good. */
const LOST_CODES: readonly number[] = [46, 214, 700, 719, 999];

/**
 * Forgets memory, faults and counts, and starts with these devices. Ids go on: none is ever used twice.
 *
 * @throws SimulatorError `INVALID_INPUT`, and nothing is forgotten
 */
export function resetSimulator(config: SimulatorConfig = {}): void {
  const { devices = [{}], driverVersion = 12_040 } = config;
  const shared = native().reset(
    devices.map(({ memoryBytes = 2 ** 31, name = "Simulated GPU", attributes = {}, sharedMemoryFile }) => ({
      memoryBytes: integer("memoryBytes", memoryBytes, 1, 2 ** 46),
      name: text("name", name),
      attributes: Object.entries(attributes).map(([attribute, value]): [number, number] => [
        integer("attribute", Number(attribute), 1, 2 ** 31 - 1),
        integer("attribute value", value, -(2 ** 31), 2 ** 31 - 1),
      ]),
      ...(sharedMemoryFile === undefined ? {} : { sharedMemoryFile: path("sharedMemoryFile", sharedMemoryFile) }),
    })),
    integer("driverVersion", driverVersion, 0, 2 ** 31 - 1),
  );
  if (!shared) throw invalidInput("sharedMemoryFile", "be a new file, or one that fewer than 64 simulators share");
}

/** Makes a call of an entry point answer `code` without doing anything. A sticky driver code loses the device. */
export function failCall(fault: Occasion & { readonly entryPoint: string; readonly code: number }): void {
  native().failCall(entryPoint(fault.entryPoint), integer("code", fault.code, 1, 9999), ...occasion(fault));
}

/** Flips a bit of device memory now, or just before a later call of an entry point. */
export function flipBit(target: BitAddress, when?: { readonly entryPoint: string; readonly after?: number }): void {
  const bufferId = decimal("bufferId", target.bufferId);
  const byteOffset = integer("byteOffset", target.byteOffset, 0, Number.MAX_SAFE_INTEGER);
  const bit = integer("bit", target.bit ?? 0, 0, 7);
  if (when !== undefined) {
    native().flipBitAt(bufferId, byteOffset, bit, entryPoint(when.entryPoint), occasion(when)[0]);
  } else if (!native().flipBit(bufferId, byteOffset, bit)) {
    throw invalidInput("target", "lie in mapped device memory");
  }
}

/** Gives a `CUpointer_attribute` of all memory this value, or makes reading it answer `result`. */
export function setPointerAttribute(attribute: number, value: bigint | number, result = 0): void {
  const wide = typeof value === "bigint" ? value : BigInt(integer("value", value, 0, Number.MAX_SAFE_INTEGER));
  if (wide < 0n || wide >= 2n ** 64n) throw invalidInput("value", "fit 64 bits");
  native().setPointerAttribute(integer("attribute", attribute, 1, 255), wide, integer("result", result, 0, 9999));
}

/** Makes a copy answer success while none (`drop`), half (`short`), or for now none (`late`: at the next synchronise) arrives. */
export function faultCopy(
  fault: Occasion & { readonly direction: "toDevice" | "toHost"; readonly mode: "drop" | "short" | "late" },
): void {
  native().faultCopy(
    oneOf("direction", fault.direction, ["toDevice", "toHost"]),
    oneOf("mode", fault.mode, ["drop", "short", "late"]),
    ...occasion(fault),
  );
}

/** Makes a kernel launch answer success and do nothing. */
export function skipKernel(when: Occasion = {}): void {
  native().skipKernel(...occasion(when));
}

/** Every later call on a context answers this code: 46, 214, 700, 719 or 999. */
export function loseDevice(code: number): void {
  if (!LOST_CODES.includes(code)) throw invalidInput("code", `be one of ${LOST_CODES.join(", ")}`);
  native().loseDevice(code);
}

/** Makes every call of an entry point take longer. */
export function setLatency(name: string, milliseconds: number): void {
  native().setLatency(entryPoint(name), integer("milliseconds", milliseconds, 0, 60_000));
}

/**
 * Whether the host's own hash stands in for the digest kernel, until the next reset: faster, and no proof of the kernel. For
 * measurements of what surrounds a digest.
 */
export function hashNatively(natively: boolean): void {
  if (typeof natively !== "boolean") throw invalidInput("natively", "be a boolean");
  native().hashNatively(natively);
}

/** What the simulated driver holds right now, and what was asked of it since the last reset. */
export function simulatorStats(): SimulatorStats {
  return native().readStats();
}

function occasion({ after = 0, sticky = false }: Occasion): [number, boolean] {
  if (typeof sticky !== "boolean") throw invalidInput("sticky", "be a boolean");
  return [integer("after", after, 0, Number.MAX_SAFE_INTEGER), sticky];
}

function entryPoint(name: unknown): string {
  if (typeof name === "string" && native().isEntryPoint(name)) return name;
  throw invalidInput("entryPoint", "be a driver entry point");
}

function text(argument: string, value: unknown): string {
  if (typeof value === "string" && /^[\x20-\x7e]{1,99}$/.test(value)) return value;
  throw invalidInput(argument, "be 1 to 99 printable ASCII characters");
}

function path(argument: string, value: unknown): string {
  if (typeof value === "string" && /^[^\0]+$/.test(value)) return value;
  throw invalidInput(argument, "be a path");
}

function decimal(argument: string, value: unknown): bigint {
  if (typeof value === "string" && /^[0-9]{1,20}$/.test(value) && BigInt(value) < 2n ** 64n) return BigInt(value);
  throw invalidInput(argument, "be an unsigned 64-bit number in decimal");
}

function oneOf(argument: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value;
  throw invalidInput(argument, `be one of ${allowed.join(", ")}`);
}
