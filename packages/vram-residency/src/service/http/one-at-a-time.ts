import { busy } from "./refusal.js";

const RETRY_AFTER_SECONDS = 1;

/** Who asks while it runs gets the same result. */
export function whileRunning<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => (running ??= work().finally(() => { running = undefined; }));
}

/** Who asks while it runs is refused. @throws HttpRefusal 503 */
export function oneAtATime<Given extends readonly unknown[], T>(what: string, work: (...given: Given) => Promise<T>): (...given: Given) => Promise<T> {
  let isRunning = false;
  return async (...given) => {
    if (isRunning) throw busy(`${what} is made already`, RETRY_AFTER_SECONDS);
    isRunning = true;
    try {
      return await work(...given);
    } finally {
      isRunning = false;
    }
  };
}
