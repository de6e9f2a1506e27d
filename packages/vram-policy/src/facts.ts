/** How the driver library came in. */
export type Backend = "cuda" | "simulator" | "custom";

/** Facts about the loaded driver that rules judge. */
export interface DriverFacts {
  readonly backend: Backend;
  /** Every entry point lies in one file that root owns and nobody else can write. */
  readonly libraryTrusted: boolean;
  /** Which variables that can inject code into the driver are set. */
  readonly environment: {
    readonly CUDA_INJECTION64_PATH: boolean;
    readonly CUDA_FORCE_PTX_JIT: boolean;
    readonly LD_PRELOAD: boolean;
  };
}

/** Facts about a device (`cuDeviceGetAttribute`); null where the driver would not tell. */
export interface DeviceFacts {
  readonly integrated: boolean | null;
  readonly pageableMemoryAccessUsesHostPageTables: boolean | null;
  readonly directManagedMemAccessFromHost: boolean | null;
  /** 0: the device's memory is no NUMA node of the host. */
  readonly numaConfig: number | null;
  readonly virtualMemoryManagement: boolean | null;
  readonly ecc: boolean | null;
  readonly mps: boolean | null;
  readonly computeMode: number | null;
  readonly gpuDirectRdma: boolean | null;
  readonly unifiedAddressing: boolean | null;
  readonly managedMemory: boolean | null;
  readonly concurrentManagedAccess: boolean | null;
  readonly canMapHostMemory: boolean | null;
  readonly pageableMemoryAccess: boolean | null;
}

/** Facts about one allocation (`cuPointerGetAttribute`, `cuMemGetAccess`); null where the driver would not tell. */
export interface PlacementFacts {
  readonly memoryType: "device" | "host" | "array" | "unified" | "unknown" | null;
  readonly isManaged: boolean | null;
  readonly hostPointer: boolean | null;
  readonly deviceOrdinal: number | null;
  readonly rangeCoversAllocation: boolean | null;
  /** Bit mask of `CUmemAllocationHandleType`. */
  readonly allowedHandleTypes: number | null;
  readonly legacyIpcCapable: boolean | null;
  readonly gpuDirectRdmaCapable: boolean | null;
  readonly mempool: boolean | null;
  readonly access: "none" | "read" | "read-write" | null;
  readonly accessibleFromOtherDevices: boolean | null;
  /** Decimal. */
  readonly bufferId: string | null;
  /** Decimal. */
  readonly blockId: string | null;
}

/** Where a shard lay when it was sealed. */
export interface SealedPlacement {
  readonly bufferId: string;
  readonly blockId: string;
  readonly access: "read" | "read-write";
}
