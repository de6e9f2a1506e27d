// @ts-check
import { VramError } from "vram-residency";
import { errorFields, log } from "./log.js";

/** Exit codes: somebody must look before a worker that was refused starts again; after any other failure it may be restarted. */
const EXIT = { good: 0, failed: 1, refused: 3 };
const REFUSALS = ["SEAL_VERIFICATION_FAILED", "INTEGRITY_VIOLATION", "POLICY_VIOLATION"];

/**
 * Runs a worker to its end: a signal, or what stops it. Its weights are wiped whatever happened, and the process's exit code is set.
 * @param {object} worker
 * @param {() => Promise<import("vram-residency").Residency>} worker.open
 * @param {(residency: import("vram-residency").Residency, ending: AbortSignal) => Promise<void>} worker.work ends in order when `ending` or
 * the residency's signal fires
 */
export async function runWorker({ open, work }) {
  const ending = endingSignal();
  try {
    const residency = await open();
    try {
      await work(residency, ending);
      residency.signal.throwIfAborted();
    } finally {
      await close(residency);
    }
  } catch (error) {
    // The signal came while a model was being sealed: the end that was asked for.
    if (error instanceof VramError && error.code === "ABORTED") return;
    log("error", "ended", errorFields(error));
    process.exitCode = error instanceof VramError && REFUSALS.includes(error.code) ? EXIT.refused : EXIT.failed;
  }
}

/** Fires at SIGTERM and Ctrl-C. A second one changes nothing: the end, with the wipe, is under way. */
function endingSignal() {
  const ending = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => ending.abort());
  return ending.signal;
}

/**
 * Wipes what is left.
 * @param {import("vram-residency").Residency} residency
 */
async function close(residency) {
  await residency.close();
  const { usedBytes } = residency.capacity();
  if (usedBytes === 0) return log("info", "wiped");
  log("error", "not wiped", { usedBytes });
  process.exitCode = EXIT.failed;
}
