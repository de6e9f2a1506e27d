import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
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
  flip(view: object, byteOffset: number, bit: number): void;
  store(view: object): number;
  hold(view: object): () => void;
  appearsIn(view: object, text: string): boolean;
  leak(view: object): string;
}

const build = new URL("../build/Release/", import.meta.url);

export const libraryPath = fileURLToPath(new URL("libvram_simulator.so", build));

function load(addon: string): unknown {
  try {
    return createRequire(import.meta.url)(fileURLToPath(new URL(addon, build)));
  } catch {
    throw new SimulatorError("DRIVER_UNAVAILABLE", "the simulator is not built; run its build script (needs a C++20 compiler and CMake)");
  }
}

let control: NativeControl | undefined;

/** @throws SimulatorError `DRIVER_UNAVAILABLE` where the addon was not built. */
export function native(): NativeControl {
  control ??= load("vram_simulator_control.node") as NativeControl;
  return control;
}

let engine: HostileEngine | undefined;

/** @throws SimulatorError `DRIVER_UNAVAILABLE` where the addon was not built. */
export function hostileEngine(): HostileEngine {
  engine ??= load("vram_tamper.node") as HostileEngine;
  return engine;
}
