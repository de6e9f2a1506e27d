import { unavailable } from "../audit-error.js";
import type { Anchor } from "./anchor.js";

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * What `work` resolves with, if it does in the anchor's time.
 * @throws AuditError `AUDIT_UNAVAILABLE` with reason `timeout`; whatever `work` rejects with
 */
export async function withinLimit<T>({ timeoutMs = DEFAULT_TIMEOUT_MS }: Anchor, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const late = unavailable("timeout", "the anchor did not answer in time");
      reject(late);
      controller.abort(late);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), limit]);
  } finally {
    clearTimeout(timer);
  }
}
