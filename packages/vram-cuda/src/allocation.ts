import { setTimeout as delay } from "node:timers/promises";
import { packBlocks } from "./block-repair.js";
import type { BlockRepair } from "./block-repair.js";
import { invalidInput } from "./cuda-error.js";
import type { CudaError } from "./cuda-error.js";
import type { Damage, Inspection, LoadedDigests, PlacementFacts } from "./facts.js";
import { runLong } from "./long-operation.js";
import type { LongOptions } from "./long-operation.js";
import { native, toCudaError, unwrap } from "./native.js";
import type { Handle, NativeReleaseReport } from "./native.js";
import { OperationQueue } from "./operation-queue.js";
import { assertBoolean, assertBytes, assertDigest, assertFileDescriptor, assertInteger, assertRange } from "./validate.js";
import { viewType } from "./view.js";
import type { View, ViewRange } from "./view.js";

/** Largest piece the native staging takes at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

const DEFAULT_LOCATE_LIMIT = 64;
const DEFAULT_VIEW_TIMEOUT_MS = 30_000;
const VIEW_POLL_MS = 5;

/** `frozen` memory is mapped read-only; a `released` allocation has none. */
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

/** How to load from an open file. */
export interface FileOptions extends LongOptions {
  /** Where in the file to begin, in bytes; default 0. */
  readonly offset?: number;
}

/** How to digest device memory. */
export interface DigestOptions extends LongOptions {
  /** Keep the leaf hashes and the levels above on the host, 1/127 of the image, in place of what was kept before; default false. */
  readonly keepTree?: boolean;
}

/** How to look for damage. */
export interface LocateOptions extends LongOptions {
  /** The digest, hex, that the kept tree must hash up to. */
  readonly digest: string;
  /** How many blocks to tell at most; default 64. */
  readonly limit?: number;
}

/** How to release an allocation. */
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
  digest({ keepTree = false, ...options }: DigestOptions = {}): Promise<string> {
    return this.#queue.run(() => {
      assertBoolean("keepTree", keepTree);
      this.#assertState("digest", "loaded", "frozen");
      return runLong(options, (cancel, onProgress) => native().digest(this.#handle, keepTree, cancel, onProgress));
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

  /**
   * As `inspect`, but reads only the blocks that the range, in bytes, touches. The digest is still that of the whole image: the
   * rest of it comes from the kept tree, and is what it should be only where blocks and tree are.
   *
   * @throws CudaError as `inspect`; `INVALID_INPUT` for a range without bytes or beyond the image, and without a kept tree
   */
  inspectRange(range: { readonly offset: number; readonly length: number }, options: LongOptions = {}): Promise<Inspection> {
    return this.#queue.run(async () => {
      assertInteger("length", range.length, 1);
      assertRange("range", range, this.byteLength);
      this.#assertState("inspectRange", "loaded", "frozen");
      const { placement, digest } = await runLong(options, (cancel, onProgress) =>
        native().inspectRange(this.#handle, range.offset, range.length, cancel, onProgress),
      );
      return Object.freeze({ placement: Object.freeze(placement), digest });
    });
  }

  /**
   * The blocks in device memory that are not those of the kept tree. Of the first 16 it tells whether one flipped bit is all.
   *
   * @throws CudaError as `digest`; `INTEGRITY_VIOLATION` with `reason` "tree" where what is needed of the kept tree does not hash
   *   up to `digest`; `INVALID_INPUT` without a kept tree
   */
  locate({ digest, limit = DEFAULT_LOCATE_LIMIT, ...options }: LocateOptions): Promise<Damage> {
    return this.#queue.run(async () => {
      assertDigest("digest", digest);
      assertInteger("limit", limit, 1);
      this.#assertState("locate", "loaded", "frozen");
      const damage = await runLong(options, (cancel, onProgress) => native().locate(this.#handle, digest, limit, cancel, onProgress));
      return Object.freeze({ ...damage, blocks: Object.freeze(damage.blocks.map((block) => Object.freeze(block))) });
    });
  }

  /**
   * Writes blocks of frozen memory anew and freezes it again; the bytes are copied before this returns its promise. Nothing is
   * written unless every block is the one that the kept tree has there. What lies there afterwards is for `digest` to tell.
   *
   * @throws CudaError `INTEGRITY_VIOLATION` with `reason` "tree" where the kept tree does not hash up to `digest`, "block" for
   *   bytes that are not the block's; `INVALID_INPUT` without a kept tree; `CUDA_FAILED` also while native code holds a view;
   *   `DEVICE_LOST`. Where the memory could not be frozen again, `state` is "loaded".
   */
  async repair(blocks: readonly BlockRepair[], { digest }: { readonly digest: string }): Promise<void> {
    assertDigest("digest", digest);
    const packed = packBlocks(blocks, this.byteLength);
    try {
      await this.#queue.run(async () => {
        this.#assertState("repair", "frozen");
        const { frozen, cause } = unwrap(await native().repair(this.#handle, digest, packed.indices, packed.bytes));
        if (!frozen) this.#state = "loaded";
        if (cause !== undefined) throw toCudaError(cause);
      });
    } finally {
      packed.bytes.fill(0);
    }
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
