// @ts-check
import { errorFields, isVramError, log } from "./log.js";

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
  /** @type {import("vram-residency").Residency | undefined} */
  let residency;
  try {
    residency = await open();
    await work(residency, ending);
    residency.signal.throwIfAborted();
  } catch (error) {
    // What stopped the residency counts, not what failed because of it.
    fail(residency?.signal.aborted ? residency.signal.reason : error, ending);
  }
  if (residency !== undefined) await close(residency);
}

/**
 * @param {unknown} error
 * @param {AbortSignal} ending
 */
function fail(error, ending) {
  const code = isVramError(error) ? error.code : "";
  // The signal came while a model was being sealed: the end that was asked for.
  if (code === "ABORTED" && ending.aborted) return;
  log("error", "ended", errorFields(error));
  process.exitCode = REFUSALS.includes(code) ? EXIT.refused : EXIT.failed;
}

/** Fires at SIGTERM and Ctrl-C. A second one changes nothing: the end, with the wipe, is under way. */
function endingSignal() {
  const ending = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => ending.abort());
  return ending.signal;
}

/**
 * Wipes what is left. An exit code that is set stays.
 * @param {import("vram-residency").Residency} residency
 */
async function close(residency) {
  try {
    await residency.close();
    const { usedBytes } = residency.capacity();
    if (usedBytes === 0) return log("info", "wiped");
    log("error", "not wiped", { usedBytes });
  } catch (error) {
    log("error", "not closed", errorFields(error));
  }
  process.exitCode ||= EXIT.failed;
}
