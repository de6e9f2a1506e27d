export { Allocation } from "./allocation.js";
export type { AllocationState, DigestOptions, FileOptions, LocateOptions, ReleaseOptions, ReleaseReport } from "./allocation.js";
export type { BlockRepair } from "./block-repair.js";
export { CudaError } from "./cuda-error.js";
export type { CudaErrorCode, CudaErrorDetails } from "./cuda-error.js";
export { Device } from "./device.js";
export type { AllocateOptions } from "./device.js";
export { digestFile, measureFile } from "./digest-file.js";
export type { DigestFileOptions } from "./digest-file.js";
export { Driver, openDriver } from "./driver.js";
export type {
  Backend,
  Damage,
  DamagedBlock,
  DeviceFacts,
  DriverFacts,
  DriverSource,
  Inspection,
  LoadedDigests,
  MemoryFacts,
  PlacementFacts,
  TeardownFailure,
} from "./facts.js";
export { includeDir } from "./include-dir.js";
export type { LongOptions } from "./long-operation.js";
export { addonSha256 } from "./native.js";
export type { ElementType, View, ViewRange } from "./view.js";
