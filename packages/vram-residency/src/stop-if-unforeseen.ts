import { toVramError } from "./errors.js";
import type { Worker } from "./worker.js";

/** Runs an operation; an error that nobody foresaw stops the worker. */
export async function stopIfUnforeseen<T>(worker: Worker, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const failure = toVramError(error);
    throw failure.code === "STOPPED" ? await worker.stop(failure) : failure;
  }
}
