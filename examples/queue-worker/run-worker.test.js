// @ts-check
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { runWorker } from "./run-worker.js";

afterEach(() => {
  process.exitCode = undefined;
  for (const name of ["SIGTERM", "SIGINT"]) process.removeAllListeners(name);
});

/**
 * A VramError, as far as its name and code tell.
 * @param {string} code
 */
const vramError = (code) => Object.assign(new Error(code), { name: "VramError", code });

/**
 * The exit code of a worker.
 * @param {object} run
 * @param {string} [run.stoppedBy] what its residency was stopped by
 * @param {Error} [run.workError]
 * @param {Error} [run.closeError]
 * @param {boolean} [run.isEnding] whether a signal came
 */
async function exitCode({ stoppedBy, workError, closeError, isEnding = false }) {
  process.exitCode = undefined;
  const stopped = new AbortController();
  const residency = {
    signal: stopped.signal,
    capacity: () => ({ usedBytes: 0 }),
    async close() {
      stopped.abort(vramError("STOPPED"));
      if (closeError !== undefined) throw closeError;
    },
  };
  await runWorker({
    open: async () => /** @type {any} */ (residency),
    async work() {
      if (isEnding) process.emit("SIGTERM");
      if (stoppedBy !== undefined) stopped.abort(vramError(stoppedBy));
      if (workError !== undefined) throw workError;
    },
  });
  return process.exitCode;
}

test("a refusal is 3, whatever failed because of it", async () => {
  const stoppedBy = "SEAL_VERIFICATION_FAILED";
  assert.equal(await exitCode({ stoppedBy }), 3);
  assert.equal(await exitCode({ stoppedBy, workError: new Error("the job cannot be given back") }), 3);
  assert.equal(await exitCode({ stoppedBy, closeError: new Error("the log does not close") }), 3);
  assert.equal(await exitCode({ stoppedBy, workError: vramError("ABORTED"), isEnding: true }), 3);
});

test("a model whose sealing was ended by a signal is the good end, and by nothing else", async () => {
  assert.equal(await exitCode({ workError: vramError("ABORTED"), isEnding: true }), undefined);
  assert.equal(await exitCode({ workError: vramError("ABORTED") }), 1);
});

test("a worker that does not close has failed, a signal or not", async () => {
  assert.equal(await exitCode({ closeError: new Error("the log does not close") }), 1);
  assert.equal(await exitCode({ closeError: new Error("the log does not close"), isEnding: true }), 1);
});
