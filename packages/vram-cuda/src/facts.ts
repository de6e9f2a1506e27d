/** How the driver library came in. Absent: the system's `libcuda.so.1`. */
export interface DriverSource {
  /** Absolute path of a library with the driver's interface. */
  readonly libraryPath: string;
}

/** `cuda`: the system's library, of good origin. `simulator`: given by path, with the mark. `custom`: anything else. */
export type Backend = "cuda" | "simulator" | "custom";

/** Facts about the loaded driver. */
export interface DriverFacts {
  readonly backend: Backend;
  /** CUDA driver API version, "12.4". */
  readonly driverVersion: string;
  /** Every entry point lies in one regular file that root owns and nobody else can write. */
  readonly libraryTrusted: boolean;
  /** SHA-256, hex, of the file the entry points lie in. */
  readonly librarySha256: string;
  /** Which variables that can inject code into the driver are set. */
  readonly environment: {
    readonly CUDA_INJECTION64_PATH: boolean;
    readonly CUDA_FORCE_PTX_JIT: boolean;
    readonly LD_PRELOAD: boolean;
  };
}

/** What the driver says about a device (CUdevice_attribute); null could not be read. */
export interface DeviceFacts {
  readonly ordinal: number;
  /** "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx". */
  readonly uuid: string;
  readonly name: string;
  readonly totalBytes: number;
  readonly computeCapability: string | null;
  readonly multiprocessorCount: number | null;
  readonly integrated: boolean | null;
  readonly pageableMemoryAccessUsesHostPageTables: boolean | null;
  readonly directManagedMemAccessFromHost: boolean | null;
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

/** Where an allocation lies, each fact read by itself with `cuPointerGetAttribute`; null could not be read. */
export interface PlacementFacts {
  readonly memoryType: "device" | "host" | "array" | "unified" | "unknown" | null;
  readonly isManaged: boolean | null;
  /** True: a host address exists. False: the driver refused to give one, or gave a null pointer. */
  readonly hostPointer: boolean | null;
  readonly deviceOrdinal: number | null;
  readonly rangeCoversAllocation: boolean | null;
  /** Bits of CUmemAllocationHandleType. */
  readonly allowedHandleTypes: number | null;
  readonly legacyIpcCapable: boolean | null;
  readonly gpuDirectRdmaCapable: boolean | null;
  /** True: the memory belongs to a memory pool. */
  readonly mempool: boolean | null;
  /** Access of the allocation's own device. */
  readonly access: "none" | "read" | "read-write" | null;
  readonly accessibleFromOtherDevices: boolean | null;
  /** Decimal; never used again by the driver. */
  readonly bufferId: string | null;
  /** Decimal. */
  readonly blockId: string | null;
}

/** Device memory, in bytes, as the driver counts it. */
export interface MemoryFacts {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** What the device tells of an allocation. */
export interface Inspection {
  readonly placement: PlacementFacts;
  /** The fs-verity digest, hex, of what lies there. Null where the driver tells of other memory than was allocated: that is not read. */
  readonly digest: string | null;
}

/** A 4096-byte block that is not as the kept tree has it. */
export interface DamagedBlock {
  /** Its number, from 0. */
  readonly index: number;
  /** Whether one flipped bit is all the damage; null where that is not known. */
  readonly singleBit: boolean | null;
}

/** How what lies in device memory differs from the kept tree. */
export interface Damage {
  /** The fs-verity digest, hex, of what lies there now. */
  readonly digest: string;
  /** How many blocks differ. */
  readonly blockCount: number;
  /** The first of them, in order. */
  readonly blocks: readonly DamagedBlock[];
}

/** Hex digests of the bytes that passed through staging; null unless `allocate` asked for them. */
export interface LoadedDigests {
  /** fs-verity, SHA-256, 4096-byte blocks. */
  readonly fsverity: string | null;
  /** Flat SHA-256. */
  readonly sha256: string | null;
}

/** A failure of teardown that nobody awaited. */
export interface TeardownFailure {
  /** Decimal; null where no single allocation is concerned. */
  readonly bufferId: string | null;
  readonly code: string;
}
