import type { ServerResponse } from "node:http";
import { VramError } from "../../errors.js";
import { HttpRefusal } from "./refusal.js";

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** On every response. The page has a Content-Security-Policy of its own. */
export const SECURITY_HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

export function json(status: number, value: object): Reply {
  return { status, contentType: "application/json; charset=utf-8", body: JSON.stringify(value) };
}

/** What is told of an error: of one that nobody foresaw, nothing. */
export function errorReply(error: unknown): Reply {
  if (error instanceof HttpRefusal) return { ...errorJson(error.status, error), headers: error.headers };
  if (error instanceof VramError) return errorJson(503, error);
  return errorJson(500, { code: "INTERNAL", message: "the request failed" });
}

function errorJson(status: number, { code, message }: { readonly code: string; readonly message: string }): Reply {
  return json(status, { error: { code, message } });
}

/** Sends a reply, unless the client has left or the response has begun. */
export function send(response: ServerResponse, { status, contentType, body, headers }: Reply): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...SECURITY_HEADERS, "Content-Type": contentType, "Content-Length": bytes.length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}
