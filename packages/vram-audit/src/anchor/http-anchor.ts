import { errnoOf, invalidInput, unavailable } from "../audit-error.js";
import type { Anchor, AnchorOptions } from "./anchor.js";
import { makeAnchor } from "./make-anchor.js";

/** How to reach a witness over HTTP. */
export interface HttpAnchorOptions extends AnchorOptions {
  /** Makes the request, for example with a header that authenticates it; default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;

/**
 * Posts each checkpoint to a witness; a status of 200 to 299 says that it is kept. A redirection is a failure.
 * @param url of `https`, or `http` on this host, without user and password
 * @throws AuditError `INVALID_INPUT`
 */
export function httpAnchor(url: string, options: HttpAnchorOptions = {}): Anchor {
  const { fetch: request = fetch, ...rest } = options;
  if (!isTrustworthy(url)) throw invalidInput("url", "be one of https, or of http on this host, without user and password");
  if (typeof request !== "function") throw invalidInput("options.fetch", "be a function");
  return makeAnchor("http", rest, ({ note }, signal) => post(request, url, note, signal));
}

function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  const secure = protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));
  return secure && username === "" && password === "";
}

async function post(request: typeof fetch, url: string, note: string, signal: AbortSignal): Promise<void> {
  const headers = { "content-type": "text/plain; charset=utf-8" };
  const { ok, status, body } = await request(url, { method: "POST", body: note, headers, redirect: "error", signal }).catch((error: unknown) => {
    // What `fetch` rejects with has the system's error as its cause, and the URL in its text.
    const errno = errnoOf(error instanceof Error ? error.cause : error);
    throw unavailable("http", `the anchor's witness cannot be reached (${errno})`, { errno });
  });
  await body?.cancel();
  if (!ok) throw unavailable("status", `the anchor's witness answered with status ${status}`, { status });
}
