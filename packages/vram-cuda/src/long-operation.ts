import { CudaError, invalidInput } from "./cuda-error.js";
import { native, unwrap } from "./native.js";
import type { Handle, NativeAnswer, NativeProgress } from "./native.js";

/** What every long operation takes. */
export interface LongOptions {
  /** Aborts the operation between two pieces of its work. */
  readonly signal?: AbortSignal;
  /** Told now and then, and once at the end. What it throws aborts the operation and is the error's `cause`. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

type Start<T> = (cancel: Handle<"cancel">, onProgress: NativeProgress | undefined) => NativeAnswer<T>;

function aborted(cause: unknown): CudaError {
  return new CudaError("ABORTED", "The operation was aborted", { cause });
}

function assertOptions({ signal, onProgress }: { readonly signal?: unknown; readonly onProgress?: unknown }): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidInput("signal", "be an AbortSignal");
  if (onProgress !== undefined && typeof onProgress !== "function") throw invalidInput("onProgress", "be a function");
}

/**
 * Runs a native operation that can be cancelled.
 *
 * @throws CudaError `ABORTED` with the signal's reason, or what `onProgress` threw, as `cause`
 */
export async function runLong<T>(options: LongOptions, start: Start<T>): Promise<T> {
  assertOptions(options);
  const { signal, onProgress } = options;
  if (signal?.aborted === true) throw aborted(signal.reason);
  const cancel = native().createCancel();
  const thrown: unknown[] = [];
  const onAbort = (): void => {
    native().cancel(cancel);
  };
  const report: NativeProgress | undefined =
    onProgress &&
    ((doneBytes, totalBytes) => {
      try {
        onProgress(doneBytes, totalBytes);
      } catch (error) {
        thrown.push(error);
        native().cancel(cancel);
      }
    });
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const value = unwrap(await start(cancel, report));
    if (thrown.length > 0) throw aborted(thrown[0]);
    return value;
  } catch (error) {
    if (!(error instanceof CudaError) || error.code !== "ABORTED") throw error;
    throw aborted(thrown.length > 0 ? thrown[0] : signal?.reason);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
