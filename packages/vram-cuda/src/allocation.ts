import { setTimeout as delay } from "node:timers/promises";
import { invalidInput } from "./cuda-error.js";
import type { CudaError } from "./cuda-error.js";
import type { Inspection, LoadedDigests, PlacementFacts } from "./facts.js";
import { runLong } from "./long-operation.js";
import type { LongOptions } from "./long-operation.js";
import { native, toCudaError, unwrap } from "./native.js";
import type { Handle, NativeReleaseReport } from "./native.js";
import { OperationQueue } from "./operation-queue.js";
import { assertBytes, assertFileDescriptor, assertInteger, assertRange } from "./validate.js";
import { viewType } from "./view.js";
import type { View, ViewRange } from "./view.js";

/** Largest piece the native staging takes at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

const DEFAULT_VIEW_TIMEOUT_MS = 30_000;
const VIEW_POLL_MS = 5;

export type AllocationState = "loading" | "loaded" | "frozen" | "released";

/** How a release ended. */
export interface ReleaseReport {
  /** Every byte was seen to be zero before the memory went back. Never said of a lost device. */
  readonly wiped: boolean;
  /** The driver took the memory back. */
  readonly freed: boolean;
  /** The device's context is gone, and the memory with it. */
  readonly lost: boolean;
  /** Milliseconds from making the memory writable until all of it was zeroed, without the check; null where that was not done. */
  readonly wipeMs: number | null;
  /** What went wrong. Unless the device is lost, a further release goes on with what is still held. */
  readonly cause?: CudaError;
}

export interface FileOptions extends LongOptions {
  /** Where in the file to begin, in bytes; default 0. */
  readonly offset?: number;
}

export interface ReleaseOptions {
  /** How long to wait, in milliseconds, for native code that still holds a tensor of this memory; default 30,000. */
  readonly viewTimeoutMs?: number;
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
  readonly #views = new Set<View>();
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
   * Appends `byteLength` bytes of a file, read on threads of this package.
   *
   * @throws CudaError `INVALID_INPUT` for a file that cannot be read or ends early; `ABORTED`; `CUDA_FAILED`
   */
  async appendFile(fd: number, byteLength: number, { offset = 0, ...options }: FileOptions = {}): Promise<void> {
    assertFileDescriptor(fd);
    assertInteger("offset", offset, 0);
    assertInteger("byteLength", byteLength, 0);
    await this.#queue.run(async () => {
      this.#assertState("appendFile", "loading");
      assertRange("byteLength", { offset: this.#receivedBytes, length: byteLength }, this.byteLength);
      await runLong(options, (cancel, onProgress) => native().appendFile(this.#handle, fd, offset, byteLength, cancel, onProgress));
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

  /**
   * Where the allocation lies, and then the digest of what lies there, without coming back in between.
   *
   * @throws CudaError as `digest` and `placement`
   */
  inspect(options: LongOptions = {}): Promise<Inspection> {
    return this.#queue.run(async () => {
      this.#assertState("inspect", "loaded", "frozen");
      const { placement, digest } = await runLong(options, (cancel, onProgress) => native().inspect(this.#handle, cancel, onProgress));
      return Object.freeze({ placement: Object.freeze(placement), digest });
    });
  }

  /** Where the allocation lies. @throws CudaError `DEVICE_LOST`. */
  placement(): Promise<PlacementFacts> {
    return this.#queue.run(async () => {
      this.#assertState("placement", "loading", "loaded", "frozen");
      return Object.freeze(unwrap(await native().placement(this.#handle)));
    });
  }

  /**
   * A view of frozen memory for native code of this process (`vram_view.h`). It can be acquired until it is ended or the
   * memory is released.
   *
   * @throws CudaError `INVALID_INPUT` unless the range lies within the image and has the length of its type and shape
   */
  view(range: ViewRange): View {
    this.#assertState("view", "frozen");
    assertRange("range", { offset: range.byteOffset, length: range.byteLength }, this.byteLength);
    const { code, bits, shape } = viewType(range);
    const view = unwrap(native().view(this.#handle, range.byteOffset, range.byteLength, code, bits, shape));
    this.#views.add(view);
    return view;
  }

  /** From here on native code cannot acquire the view; what it acquired before stays valid until it is released there. */
  endView(view: View): void {
    if (this.#views.delete(view)) native().endView(view);
  }

  /**
   * Ends every view and waits for native code that holds one, then makes the memory writable again, zeroes it, checks the
   * zeros, unmaps and frees. Idempotent; waits for what runs. Memory that is still held after the time-out stays as it is.
   */
  release({ viewTimeoutMs = DEFAULT_VIEW_TIMEOUT_MS }: ReleaseOptions = {}): Promise<ReleaseReport> {
    return this.#queue.run(async () => {
      assertInteger("viewTimeoutMs", viewTimeoutMs, 0);
      if (this.#report !== undefined) return this.#report;
      this.#state = "released";
      for (const view of this.#views) this.endView(view);
      await this.#untilUnused(performance.now() + viewTimeoutMs);
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

  async #untilUnused(deadlineMs: number): Promise<void> {
    while (native().inUse(this.#handle) && performance.now() < deadlineMs) await delay(VIEW_POLL_MS);
  }

  #assertState(operation: string, ...allowed: readonly AllocationState[]): void {
    if (!this.#isDeviceOpen()) throw invalidInput("device", `be open for ${operation}`);
    if (allowed.includes(this.#state)) return;
    throw invalidInput("allocation", `be ${allowed.join(" or ")} for ${operation}; it is ${this.#state}`);
  }
}

function toReport({ wiped, freed, lost, wipeMs, cause }: NativeReleaseReport): ReleaseReport {
  return Object.freeze({ wiped, freed, lost, wipeMs, ...(cause === undefined ? {} : { cause: toCudaError(cause) }) });
}
