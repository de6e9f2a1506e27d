import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ProbeAnswer, ServiceView } from "../service-state.js";
import type { EventStreams } from "./event-streams.js";
import { oneHeader } from "./one-header.js";
import { oneAtATime, whileRunning } from "./one-at-a-time.js";
import { json } from "./reply.js";
import type { Reply } from "./reply.js";
import { invalidQuery } from "./target.js";

const NONCE = /^(?:[0-9a-f]{2}){16,64}$/i;
const SEQUENCE = /^[0-9]{1,15}$/;

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
}

export interface Route {
  readonly methods: readonly string[];
  readonly parameters: readonly string[];
  /** Whether it needs no token. */
  readonly isOpen?: true;
  /** Undefined where the response is written by the route itself. */
  readonly answer: (call: Call) => Reply | Promise<Reply> | undefined;
}

export interface RouteParts {
  readonly view: ServiceView;
  readonly streams: EventStreams;
  readonly page: (nonce: string) => string;
}

const READ = { methods: ["GET", "HEAD"], parameters: [] } as const;

/** Everything that is served, by its path. */
export function routesOf({ view, streams, page }: RouteParts): ReadonlyMap<string, Route> {
  const metrics = whileRunning(() => view.metrics());
  const attest = oneAtATime("an attestation", (nonce: Uint8Array, signal: AbortSignal) => view.attest(nonce, signal));
  return new Map<string, Route>([
    ["/", { ...READ, answer: () => pageReply(page) }],
    ["/healthz", { ...READ, isOpen: true, answer: () => probeReply(view.health()) }],
    ["/readyz", { ...READ, isOpen: true, answer: () => probeReply(view.readiness()) }],
    ["/api/shards", { ...READ, answer: () => json(200, view.snapshot()) }],
    ["/metrics", { ...READ, answer: async () => metricsReply(await metrics()) }],
    ["/api/events", { methods: ["GET"], parameters: ["after"], answer: (call) => { streams.open(call.response, lastLineOf(call)); return undefined; } }],
    ["/attest", { methods: ["GET"], parameters: ["nonce"], answer: async (call) => attestReply(await attest(nonceOf(call), signalOf(call))) }],
  ]);
}

function pageReply(page: (nonce: string) => string): Reply {
  const nonce = randomBytes(16).toString("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
  return { status: 200, contentType: "text/html; charset=utf-8", body: page(nonce), headers: { "Content-Security-Policy": policy } };
}

function probeReply({ ok, body }: ProbeAnswer): Reply {
  return json(ok ? 200 : 503, body);
}

function metricsReply({ contentType, text }: { readonly contentType: string; readonly text: string }): Reply {
  return { status: 200, contentType, body: text };
}

/** A client that was cut off names the last line it has in the header. */
function lastLineOf({ request, query }: Call): number | undefined {
  const text = oneHeader(request, "last-event-id") ?? query.get("after") ?? undefined;
  if (text !== undefined && !SEQUENCE.test(text)) throw invalidQuery("Last-Event-ID or after must be the number of a line");
  return text === undefined ? undefined : Number(text);
}

function nonceOf({ query }: Call): Uint8Array {
  const text = query.get("nonce") ?? "";
  if (!NONCE.test(text)) throw invalidQuery("nonce must be 32 to 128 hexadecimal digits, two for each byte");
  return Buffer.from(text, "hex");
}

/** Fires when the client leaves. It may wait for longer than a stalled client. */
function signalOf({ response }: Call): AbortSignal {
  const leaving = new AbortController();
  response.socket?.setTimeout(0);
  response.once("close", () => { leaving.abort(); });
  return leaving.signal;
}

function attestReply(envelope: string): Reply {
  return { status: 200, contentType: "application/vnd.dsse.envelope.v1+json", body: envelope, headers: { Connection: "close" } };
}
