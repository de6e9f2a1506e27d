import type { DeviceFacts, DriverFacts, PlacementFacts, SealedPlacement } from "../src/index.js";

/** A discrete card under the system's driver, as such cards answer. */
export const goodDriver: DriverFacts = {
  backend: "cuda",
  libraryTrusted: true,
  environment: { CUDA_INJECTION64_PATH: false, CUDA_FORCE_PTX_JIT: false, LD_PRELOAD: false },
};

export const goodDevice: DeviceFacts = {
  integrated: false,
  pageableMemoryAccessUsesHostPageTables: false,
  directManagedMemAccessFromHost: false,
  numaConfig: 0,
  virtualMemoryManagement: true,
  ecc: true,
  mps: false,
  computeMode: 0,
  gpuDirectRdma: true,
  unifiedAddressing: true,
  managedMemory: true,
  concurrentManagedAccess: true,
  canMapHostMemory: true,
  pageableMemoryAccess: true,
};

export const goodPlacement: PlacementFacts = {
  memoryType: "device",
  isManaged: false,
  hostPointer: false,
  deviceOrdinal: 0,
  rangeCoversAllocation: true,
  allowedHandleTypes: 0,
  legacyIpcCapable: false,
  gpuDirectRdmaCapable: false,
  mempool: false,
  access: "read",
  accessibleFromOtherDevices: false,
  bufferId: "11",
  blockId: "12",
};

export const sealedPlacement: SealedPlacement = { bufferId: "11", blockId: "12", access: "read" };
