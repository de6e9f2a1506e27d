// @ts-check
import { VramError } from "vram-residency";

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
  if (error instanceof VramError) {
    const { code, kind, message, correlationId } = error;
    return { code, kind, message, correlationId };
  }
  return { code: error instanceof Error && "code" in error ? error.code : "UNKNOWN" };
}
