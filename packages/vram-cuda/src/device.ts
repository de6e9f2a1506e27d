import { Allocation } from "./allocation.js";
import { invalidInput } from "./cuda-error.js";
import type { DeviceFacts, MemoryFacts, TeardownFailure } from "./facts.js";
import { native, unwrap } from "./native.js";
import type { Handle } from "./native.js";
import { assertBoolean, assertInteger, assertLead, assertStaging, roundUp } from "./validate.js";

const DIGEST_BLOCK_BYTES = 4096;

/** How to allocate device memory. */
export interface AllocateOptions {
  /** Compute the fs-verity digest of what is loaded, on the host; default true. */
  readonly fsverity?: boolean;
  /** Compute the flat SHA-256 of what is loaded; default false. */
  readonly sha256?: boolean;
  /** `pinned`: up to 16 MiB of host memory are page-locked while the load lasts; default `pageable`. */
  readonly staging?: "pageable" | "pinned";
  /** Bytes between the start of the allocation and the image, a multiple of 16 below 4096; default 0. */
  readonly leadBytes?: number;
}

interface OpenedDevice {
  readonly granularityBytes: number;
  readonly workspaceBytes: number;
  readonly kernelSha256: string;
}

/** An open device. Whoever opened it closes it. */
export class Device {
  readonly facts: DeviceFacts;
  /** Allocations are multiples of this. */
  readonly granularityBytes: number;
  /** Bytes the digest workspace holds on the device. */
  readonly workspaceBytes: number;
  /** Hex SHA-256 of the digest kernel's PTX text. */
  readonly kernelSha256: string;
  readonly #handle: Handle<"device">;
  #failures: readonly TeardownFailure[] = [];
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(handle: Handle<"device">, facts: DeviceFacts, opened: OpenedDevice) {
    this.#handle = handle;
    this.facts = facts;
    this.granularityBytes = opened.granularityBytes;
    this.workspaceBytes = opened.workspaceBytes;
    this.kernelSha256 = opened.kernelSha256;
  }

  /** The device's memory as the driver counts it now. @throws CudaError `CUDA_FAILED`, `DEVICE_LOST`. */
  async memory(): Promise<MemoryFacts> {
    this.#assertOpen();
    return unwrap(await native().memory(this.#handle));
  }

  /** Bytes that an allocation of `byteLength` takes. @throws CudaError `INVALID_INPUT`. */
  allocatedSize(byteLength: number, leadBytes = 0): number {
    return roundUp(leadBytes + roundUp(byteLength, DIGEST_BLOCK_BYTES), this.granularityBytes);
  }

  /**
   * Makes memory that is on the device and nowhere else.
   *
   * @throws CudaError `INVALID_INPUT`; `INSUFFICIENT_VRAM` with `neededBytes` and `availableBytes`;
   *   `CUDA_ALLOCATION_FAILED`; `DEVICE_LOST`. Nothing stays allocated then.
   */
  async allocate(byteLength: number, options: AllocateOptions = {}): Promise<Allocation> {
    this.#assertOpen();
    assertInteger("byteLength", byteLength, 1);
    const { fsverity = true, sha256 = false, staging = "pageable", leadBytes = 0 } = options;
    assertBoolean("fsverity", fsverity);
    assertBoolean("sha256", sha256);
    assertStaging(staging);
    assertLead(leadBytes);
    this.allocatedSize(byteLength, leadBytes);
    const { handle, allocatedBytes } = unwrap(await native().allocate(this.#handle, byteLength, leadBytes, fsverity, sha256, staging === "pinned"));
    return new Allocation(() => this.#closing === undefined, handle, { byteLength, allocatedBytes });
  }

  /** Failures of teardown that nobody awaited, each told once. */
  takeTeardownFailures(): readonly TeardownFailure[] {
    const failures = this.#closing === undefined ? unwrap(native().takeTeardownFailures(this.#handle)) : this.#failures;
    this.#failures = [];
    return failures;
  }

  /** Ends what runs, wipes and frees what is left, and closes the device. Idempotent; failures are teardown failures. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#failures = unwrap(await native().closeDevice(this.#handle));
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw invalidInput("device", "be open");
  }
}
