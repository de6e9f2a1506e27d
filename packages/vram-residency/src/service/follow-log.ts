import { setTimeout as delay } from "node:timers/promises";
import { queryAuditLog } from "vram-audit";
import type { AuditEntry } from "vram-audit";

const RETRY_MS = 500;
const RETRY_MAX_MS = 30_000;
/** A log that was read on for so long is well again. */
const STEADY_MS = 1000;

export interface LogWatcher {
  /** The first line to be given; asked again after trouble, and best a line that was given before: it shows that the log is there. */
  readonly from: () => number;
  readonly onEntry: (entry: AuditEntry) => void;
  /** The log could not be read; it is tried again, ever more seldom. */
  readonly onTrouble: (error: unknown) => void;
  /** It was read for a while. */
  readonly onSteady: () => void;
}

/** Gives the lines of a log to a watcher until the signal aborts, whatever happens to the log. */
export async function followLog(dir: string, watcher: LogWatcher, signal: AbortSignal): Promise<void> {
  let pauseMs = RETRY_MS;
  const onSteady = (): void => {
    pauseMs = RETRY_MS;
    watcher.onSteady();
  };
  while (!signal.aborted) {
    try {
      await followOnce(dir, { ...watcher, onSteady }, signal);
    } catch (error) {
      watcher.onTrouble(error);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, RETRY_MAX_MS);
    }
  }
}

async function followOnce(dir: string, { from, onEntry, onSteady }: LogWatcher, signal: AbortSignal): Promise<void> {
  let steady: NodeJS.Timeout | undefined;
  try {
    for await (const entry of queryAuditLog({ dir, filter: { fromSequence: from() }, follow: true, signal })) {
      steady ??= setTimeout(onSteady, STEADY_MS);
      onEntry(entry);
    }
  } finally {
    clearTimeout(steady);
  }
}
