import { dirname, join } from "node:path";
import { AddonError, loadAddon } from "vram-addon";
import type { LoadedAddon } from "vram-addon";
import { SimulatorError } from "./simulator-error.js";

type Occasion = [after: number, sticky: boolean];

/** The control addon (native/simulator/control_binding.cpp); it trusts its arguments. */
interface NativeControl {
  reset(
    devices: { memoryBytes: number; name: string; attributes: [number, number][]; sharedMemoryFile?: string }[],
    driverVersion: number,
  ): boolean;
  isEntryPoint(name: string): boolean;
  failCall(entryPoint: string, code: number, ...occasion: Occasion): void;
  flipBit(bufferId: bigint, byteOffset: number, bit: number): boolean;
  flipBitAt(bufferId: bigint, byteOffset: number, bit: number, entryPoint: string, after: number): void;
  setPointerAttribute(attribute: number, value: bigint, result: number): void;
  faultCopy(direction: string, mode: string, ...occasion: Occasion): void;
  skipKernel(...occasion: Occasion): void;
  loseDevice(code: number): void;
  setLatency(entryPoint: string, milliseconds: number): void;
  hashNatively(natively: boolean): void;
  readStats(): SimulatorStats;
}

/** What the simulated driver holds right now, and what was asked of it since the last reset. Sizes in bytes. */
export interface SimulatorStats {
  /** Mapped memory; `access` is 0 none, 1 read, 3 read-write for its own device. */
  readonly allocations: readonly { readonly bufferId: string; readonly byteLength: number; readonly access: number }[];
  /** Memory that went back to its device, oldest first, and whether it held only zeros then. */
  readonly freed: readonly { readonly bufferId: string; readonly zeroed: boolean }[];
  readonly reservations: number;
  readonly contexts: number;
  readonly streams: number;
  readonly modules: number;
  readonly allocatedBytes: number;
  /** Host memory that is page-locked through the driver. */
  readonly pageLockedBytes: number;
  /** Calls by entry point. */
  readonly calls: Readonly<Record<string, number>>;
}

/** The hostile engine (native/simulator/tamper_binding.cpp); it throws plain errors. */
interface HostileEngine {
  flip(view: object, byteOffset: number, bit: number): boolean;
  store(view: object): number;
  hold(view: object): () => void;
  appearsIn(view: object, text: string): boolean;
  leak(view: object): string;
}

const packageFolder = new URL("../", import.meta.url);

function load(fileName: string): LoadedAddon {
  try {
    return loadAddon({ packageName: "vram-simulator", packageFolder, fileName });
  } catch (error) {
    if (!(error instanceof AddonError)) throw error;
    throw new SimulatorError("DRIVER_UNAVAILABLE", error.message);
  }
}

let control: LoadedAddon | undefined;

/** @throws SimulatorError `DRIVER_UNAVAILABLE` where the addon is absent or does not load. */
export function native(): NativeControl {
  control ??= load("vram_simulator_control.node");
  return control.exports as NativeControl;
}

/** Of the library that the control addon steers. @throws SimulatorError `DRIVER_UNAVAILABLE` as `native()` does. */
export function libraryPath(): string {
  control ??= load("vram_simulator_control.node");
  return join(dirname(control.path), "libvram_simulator.so");
}

let engine: HostileEngine | undefined;

/** @throws SimulatorError `DRIVER_UNAVAILABLE` where the addon is absent or does not load. */
export function hostileEngine(): HostileEngine {
  engine ??= load("vram_tamper.node").exports as HostileEngine;
  return engine;
}
