import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { AddonError, loadAddon } from "vram-addon";
import type { LoadedAddon } from "vram-addon";
import { CudaError } from "./cuda-error.js";
import type { CudaErrorCode, CudaErrorDetails } from "./cuda-error.js";
import type { Damage, DeviceFacts, DriverFacts, Inspection, LoadedDigests, MemoryFacts, PlacementFacts, TeardownFailure } from "./facts.js";
import type { View } from "./view.js";

declare const kind: unique symbol;
/** An opaque object of the addon: a slot and a generation on its native side, nothing on this one. */
export interface Handle<Kind extends string> {
  readonly [kind]: Kind;
}

export interface NativeError {
  readonly code: CudaErrorCode;
  readonly message: string;
  readonly details: CudaErrorDetails;
}

export type NativeResult<T> = { readonly value: T } | { readonly error: NativeError };
/** Refused at once, or settled later; a promise of the addon never rejects. */
export type NativeAnswer<T> = NativeResult<T> | Promise<NativeResult<T>>;
export type NativeProgress = (doneBytes: number, totalBytes: number) => void;

export interface NativeReleaseReport {
  readonly wiped: boolean;
  readonly freed: boolean;
  readonly lost: boolean;
  readonly wipeMs: number | null;
  readonly cause?: NativeError;
}

export interface NativeRepairReport {
  readonly frozen: boolean;
  readonly cause?: NativeError;
}

type AllocationHandle = Handle<"allocation">;
type DeviceHandle = Handle<"device">;
type DriverHandle = Handle<"driver">;
type CancelHandle = Handle<"cancel">;

/** The addon (native/binding/addon.cpp). It checks every argument again. */
export interface NativeAddon {
  openDriver(libraryPath: string | null): NativeResult<{ readonly handle: DriverHandle; readonly facts: DriverFacts }>;
  devices(driver: DriverHandle): NativeResult<readonly DeviceFacts[]>;
  openDevice(
    driver: DriverHandle,
    ordinal: number,
  ): NativeAnswer<{ readonly handle: DeviceHandle; readonly granularityBytes: number; readonly workspaceBytes: number; readonly kernelSha256: string }>;
  closeDevice(device: DeviceHandle): NativeAnswer<readonly TeardownFailure[]>;
  memory(device: DeviceHandle): NativeAnswer<MemoryFacts>;
  takeTeardownFailures(device: DeviceHandle): NativeResult<readonly TeardownFailure[]>;
  allocate(
    device: DeviceHandle,
    byteLength: number,
    leadBytes: number,
    fsverity: boolean,
    sha256: boolean,
    pinned: boolean,
  ): NativeAnswer<{ readonly handle: AllocationHandle; readonly allocatedBytes: number }>;
  /** Copies the chunk before it returns; the value tells whether the next one has room. */
  append(allocation: AllocationHandle, chunk: Uint8Array): NativeResult<boolean>;
  whenRoom(allocation: AllocationHandle): NativeAnswer<null>;
  appendFile(
    allocation: AllocationHandle,
    fd: number,
    offset: number,
    byteLength: number,
    cancel?: CancelHandle,
    onProgress?: NativeProgress,
  ): NativeAnswer<null>;
  finishLoad(allocation: AllocationHandle): NativeAnswer<LoadedDigests>;
  freeze(allocation: AllocationHandle): NativeAnswer<null>;
  digest(allocation: AllocationHandle, keepTree: boolean, cancel?: CancelHandle, onProgress?: NativeProgress): NativeAnswer<string>;
  inspect(allocation: AllocationHandle, cancel?: CancelHandle, onProgress?: NativeProgress): NativeAnswer<Inspection>;
  inspectRange(
    allocation: AllocationHandle,
    offset: number,
    length: number,
    cancel?: CancelHandle,
    onProgress?: NativeProgress,
  ): NativeAnswer<Inspection>;
  locate(allocation: AllocationHandle, digest: string, limit: number, cancel?: CancelHandle, onProgress?: NativeProgress): NativeAnswer<Damage>;
  /** Copies `blocks`, 4096 bytes for each index, before it returns. */
  repair(allocation: AllocationHandle, digest: string, indices: readonly number[], blocks: Uint8Array): NativeAnswer<NativeRepairReport>;
  placement(allocation: AllocationHandle): NativeAnswer<PlacementFacts>;
  release(allocation: AllocationHandle): NativeAnswer<NativeReleaseReport>;
  view(
    allocation: AllocationHandle,
    byteOffset: number,
    byteLength: number,
    typeCode: number,
    typeBits: number,
    shape: readonly number[],
  ): NativeResult<View>;
  endView(view: View): void;
  /** Whether native code holds a tensor of the allocation. */
  inUse(allocation: AllocationHandle): boolean;
  measureFile(fd: number): NativeResult<string | null>;
  digestFile(fd: number, threads: number, cancel?: CancelHandle, onProgress?: NativeProgress): NativeAnswer<string>;
  createCancel(): CancelHandle;
  cancel(cancel: CancelHandle): void;
  /** Ends this thread's environment: cancels, wipes, frees, joins. */
  shutdown(): void;
}

interface Loaded {
  readonly addon: NativeAddon;
  readonly path: string;
}

let loaded: Loaded | undefined;

function load(): Loaded {
  const { exports, path } = findAddon();
  const addon = exports as NativeAddon;
  // The runtime's own cleanup hook does not run on every way out of the main thread; it does nothing after this.
  process.once("exit", () => {
    addon.shutdown();
  });
  return { addon, path };
}

function findAddon(): LoadedAddon {
  try {
    return loadAddon({ packageName: "vram-cuda", packageFolder: new URL("../", import.meta.url), fileName: "vram_cuda.node" });
  } catch (error) {
    if (!(error instanceof AddonError)) throw error;
    throw new CudaError("DRIVER_UNAVAILABLE", error.message, { details: { reason: `addon-${error.failure}` } });
  }
}

/** @throws CudaError `DRIVER_UNAVAILABLE` where the addon is absent or does not load. */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded.addon;
}

/** SHA-256, hex, of the addon's file. @throws CudaError `DRIVER_UNAVAILABLE` where the addon is absent or does not load. */
export function addonSha256(): string {
  loaded ??= load();
  return createHash("sha256").update(readFileSync(loaded.path)).digest("hex");
}

export function toCudaError(error: NativeError): CudaError {
  return new CudaError(error.code, error.message, { details: error.details });
}

export function unwrap<T>(result: NativeResult<T>): T {
  if ("error" in result) throw toCudaError(result.error);
  return result.value;
}
