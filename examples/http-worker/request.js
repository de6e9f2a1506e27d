// @ts-check
import { json } from "node:stream/consumers";

const BODY_MAX_BYTES = 65_536;

/** What a request is refused for. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {{ isRetriable?: boolean }} [options]
   */
  constructor(status, code, { isRetriable = false } = {}) {
    super(code);
    this.status = status;
    this.code = code;
    this.isRetriable = isRetriable;
  }
}

/**
 * Reads a body whose length is known before it is read: node:http keeps it to that.
 * @param {import("node:http").IncomingMessage} request
 * @returns {Promise<unknown>}
 */
export async function readJson(request) {
  const { "content-type": type = "", "content-length": length } = request.headers;
  if (!/^application\/json(;|$)/.test(type)) throw new Refusal(415, "NOT_JSON");
  if (length === undefined) throw new Refusal(411, "LENGTH_REQUIRED");
  if (Number(length) > BODY_MAX_BYTES) throw new Refusal(413, "BODY_TOO_LARGE");
  try {
    return await json(request);
  } catch {
    throw new Refusal(400, "NOT_JSON");
  }
}
