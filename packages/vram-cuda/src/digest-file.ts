import { availableParallelism } from "node:os";
import { invalidInput } from "./cuda-error.js";
import { runLong } from "./long-operation.js";
import type { LongOptions } from "./long-operation.js";
import { native, unwrap } from "./native.js";
import { assertFileDescriptor } from "./validate.js";

const MOST_THREADS = 64;
/** More threads than this wait for memory, not for each other. */
const DEFAULT_MOST_THREADS = 8;

/** How to digest a file. */
export interface DigestFileOptions extends LongOptions {
  /** How many threads read and hash, 1 to 64; default: what the machine has, at most 8. */
  readonly threads?: number;
}

/**
 * The fs-verity digest, hex, of an open regular file from its first byte on, read and hashed on threads of this package with
 * the best instructions that the processor has. Needs no driver. The descriptor stays open.
 *
 * @throws CudaError `INVALID_INPUT` for what is no regular file, a read error, and a file that changes meanwhile; `ABORTED`
 */
export async function digestFile(fd: number, options: DigestFileOptions = {}): Promise<string> {
  assertFileDescriptor(fd);
  const { threads = Math.min(availableParallelism(), DEFAULT_MOST_THREADS), ...rest } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw invalidInput("threads", `be an integer from 1 to ${MOST_THREADS}`);
  }
  return runLong(rest, (cancel, onProgress) => native().digestFile(fd, threads, cancel, onProgress));
}

/**
 * The fs-verity digest, hex, that the Linux kernel measured of a file which it protects itself; null where it does not, where
 * the parameters are not SHA-256, 4096-byte blocks and no salt, and before Linux 5.12.
 *
 * @throws CudaError `INVALID_INPUT` for what is no file descriptor
 */
export function measureFile(fd: number): string | null {
  assertFileDescriptor(fd);
  return unwrap(native().measureFile(fd));
}
