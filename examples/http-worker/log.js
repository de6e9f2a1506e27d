// @ts-check

/**
 * One JSON line on standard output. Its fields are codes, ids and counts, never a path, a key, an input or an output.
 * @param {"info" | "error"} level
 * @param {string} event
 * @param {Record<string, unknown>} [fields]
 */
export function log(level, event, fields) {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
}

/**
 * What the log may say of an error. A VramError's message holds no secret; of any other error only the code is known to hold none.
 * @param {unknown} error
 */
export function errorFields(error) {
  if (isVramError(error)) {
    const { code, kind, message, correlationId } = error;
    return { code, kind, message, correlationId };
  }
  return { code: error instanceof Error && "code" in error ? error.code : "UNKNOWN" };
}

/**
 * By name, not by class: a package that is loaded as an ES module and as CommonJS has its classes twice.
 * @param {unknown} error
 * @returns {error is import("vram-residency").VramError}
 */
export function isVramError(error) {
  return error instanceof Error && error.name === "VramError";
}
