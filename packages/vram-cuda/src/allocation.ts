import { invalidInput } from "./cuda-error.js";
import type { CudaError } from "./cuda-error.js";
import type { LoadedDigests, PlacementFacts } from "./facts.js";
import { runLong } from "./long-operation.js";
import type { LongOptions } from "./long-operation.js";
import { native, toCudaError, unwrap } from "./native.js";
import type { Handle, NativeReleaseReport } from "./native.js";
import { OperationQueue } from "./operation-queue.js";
import { assertBytes, assertFileDescriptor, assertInteger, assertRange } from "./validate.js";

/** Largest piece the native staging takes at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

export type AllocationState = "loading" | "loaded" | "frozen" | "released";

/** How a release ended. */
export interface ReleaseReport {
  /** Every byte was seen to be zero before the memory went back. */
  readonly wiped: boolean;
  /** The device's context is gone, and the memory with it. */
  readonly lost: boolean;
  /** What went wrong. With `lost` false and `wiped` false the memory stays mapped; a further release tries again. */
  readonly cause?: CudaError;
}

/** Memory on a device. It holds no address; operations on it run one after another. */
export class Allocation {
  readonly byteLength: number;
  /** `byteLength` rounded up to the device's granularity. */
  readonly allocatedBytes: number;
  /** A closure over the device, which therefore is not collected before its memory. */
  readonly #isDeviceOpen: () => boolean;
  readonly #handle: Handle<"allocation">;
  readonly #queue = new OperationQueue();
  #state: AllocationState = "loading";
  #receivedBytes = 0;
  #report: ReleaseReport | undefined;

  /** @internal */
  constructor(
    isDeviceOpen: () => boolean,
    handle: Handle<"allocation">,
    size: { readonly byteLength: number; readonly allocatedBytes: number },
  ) {
    this.#isDeviceOpen = isDeviceOpen;
    this.#handle = handle;
    this.byteLength = size.byteLength;
    this.allocatedBytes = size.allocatedBytes;
  }

  get state(): AllocationState {
    return this.#state;
  }

  /**
   * Appends bytes. The first 4 MiB are copied before this returns its promise; a longer chunk must stay unchanged until the
   * promise settles.
   *
   * @throws CudaError `INVALID_INPUT` beyond `byteLength`, or while an operation before has not settled; `CUDA_FAILED`
   */
  async append(chunk: Uint8Array): Promise<void> {
    assertBytes("chunk", chunk);
    this.#assertState("append", "loading");
    if (this.#queue.busy) throw invalidInput("chunk", "wait until the operation before has settled");
    assertRange("chunk", { offset: this.#receivedBytes, length: chunk.byteLength }, this.byteLength);
    this.#receivedBytes += chunk.byteLength;
    await this.#queue.run(() => this.#appendPieces(chunk));
  }

  /**
   * Appends the first `byteLength` bytes of a file, read on threads of this package.
   *
   * @throws CudaError `INVALID_INPUT` for a file that cannot be read or ends early; `ABORTED`; `CUDA_FAILED`
   */
  async appendFile(fd: number, byteLength: number, options: LongOptions = {}): Promise<void> {
    assertFileDescriptor(fd);
    assertInteger("byteLength", byteLength, 0);
    await this.#queue.run(async () => {
      this.#assertState("appendFile", "loading");
      assertRange("byteLength", { offset: this.#receivedBytes, length: byteLength }, this.byteLength);
      await runLong(options, (cancel, onProgress) => native().appendFile(this.#handle, fd, byteLength, cancel, onProgress));
      this.#receivedBytes += byteLength;
    });
  }

  /**
   * Ends the load: waits for the last copy, zeroes the rest of the allocation, synchronises.
   *
   * @returns digests of the very bytes that were copied
   * @throws CudaError `INVALID_INPUT` unless exactly `byteLength` bytes have arrived; `CUDA_FAILED`; `DEVICE_LOST`
   */
  finishLoad(): Promise<LoadedDigests> {
    return this.#queue.run(async () => {
      this.#assertState("finishLoad", "loading");
      const digests = unwrap(await native().finishLoad(this.#handle));
      this.#state = "loaded";
      return Object.freeze(digests);
    });
  }

  /** Maps the whole allocation read-only. @throws CudaError `CUDA_FAILED`, `DEVICE_LOST`. */
  freeze(): Promise<void> {
    return this.#queue.run(async () => {
      this.#assertState("freeze", "loaded");
      unwrap(await native().freeze(this.#handle));
      this.#state = "frozen";
    });
  }

  /**
   * The fs-verity digest, hex, of the bytes as they lie in device memory now, computed there.
   *
   * @throws CudaError `CUDA_FAILED`, `INTEGRITY_VIOLATION`, `DEVICE_LOST`, `ABORTED`
   */
  digest(options: LongOptions = {}): Promise<string> {
    return this.#queue.run(() => {
      this.#assertState("digest", "loaded", "frozen");
      return runLong(options, (cancel, onProgress) => native().digest(this.#handle, cancel, onProgress));
    });
  }

  /** Where the allocation lies. @throws CudaError `DEVICE_LOST`. */
  placement(): Promise<PlacementFacts> {
    return this.#queue.run(async () => {
      this.#assertState("placement", "loading", "loaded", "frozen");
      return Object.freeze(unwrap(await native().placement(this.#handle)));
    });
  }

  /** Makes the memory writable again, zeroes it, checks the zeros, unmaps and frees. Idempotent; waits for what runs. */
  release(): Promise<ReleaseReport> {
    return this.#queue.run(async () => {
      if (this.#report !== undefined) return this.#report;
      this.#state = "released";
      const report = toReport(unwrap(await native().release(this.#handle)));
      if (report.lost || report.cause === undefined) this.#report = report;
      return report;
    });
  }

  async #appendPieces(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.byteLength; offset += PIECE_BYTES) {
      const hasRoom = unwrap(native().append(this.#handle, chunk.subarray(offset, offset + PIECE_BYTES)));
      if (!hasRoom) unwrap(await native().whenRoom(this.#handle));
    }
  }

  #assertState(operation: string, ...allowed: readonly AllocationState[]): void {
    if (!this.#isDeviceOpen()) throw invalidInput("device", `be open for ${operation}`);
    if (allowed.includes(this.#state)) return;
    throw invalidInput("allocation", `be ${allowed.join(" or ")} for ${operation}; it is ${this.#state}`);
  }
}

function toReport({ wiped, lost, cause }: NativeReleaseReport): ReleaseReport {
  return Object.freeze({ wiped, lost, ...(cause === undefined ? {} : { cause: toCudaError(cause) }) });
}
