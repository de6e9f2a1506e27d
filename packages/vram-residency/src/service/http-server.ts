import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { basename } from "node:path";
import type { Socket } from "node:net";
import { VramError } from "../errors.js";
import type { EventFeed } from "./event-feed.js";
import { bind } from "./http/bind.js";
import { EventStreams } from "./http/event-streams.js";
import { assertOwnRequest } from "./http/own-request.js";
import { HttpRefusal } from "./http/refusal.js";
import { errorReply, send } from "./http/reply.js";
import { routesOf } from "./http/routes.js";
import type { Route } from "./http/routes.js";
import { SERVER_LIMITS } from "./http/server-limits.js";
import type { ServerLimits } from "./http/server-limits.js";
import { assertParameters, parseTarget } from "./http/target.js";
import { assertToken } from "./http/token.js";
import { isLoopback } from "./listen-address.js";
import type { Listen } from "./listen-address.js";
import type { ServiceView } from "./service-state.js";

const HEADER_BYTES_MAX = 8192;
const CHECK_MS = 500;
const IDLE_CHECK_MS = 20;

export interface ServerOptions {
  readonly listen: Listen;
  /** What clients must show, but for the probes; needed at any address beyond this machine. */
  readonly token?: string;
  /** Names of this server besides those of the loopback addresses. */
  readonly hosts?: readonly string[];
  readonly view: ServiceView;
  /** Stays the caller's. */
  readonly feed: EventFeed;
  /** The dashboard, for a nonce of the Content-Security-Policy in base64. */
  readonly page: (nonce: string) => string;
  readonly limits?: ServerLimits;
}

export interface ServiceServer {
  /** Where it is reached, for people. */
  readonly address: string;
  /** Accepts no more, ends the event streams, and gives what still runs a moment; idempotent. */
  close(): Promise<void>;
}

/** Serves a service over HTTP (docs/guide/service-http.md). @throws VramError `INVALID_CONFIG` */
export async function startServer(options: ServerOptions): Promise<ServiceServer> {
  const { listen, token, view, feed, page, limits = SERVER_LIMITS } = options;
  if (token === undefined && !isLoopback(listen)) {
    throw new VramError("INVALID_CONFIG", "token must be given to listen at an address beyond this machine", { details: { argument: "token" } });
  }
  const streams = new EventStreams(feed, limits);
  const server = makeServer(limits);
  const answer = answering({ ...options, routes: routesOf({ view, streams, page }) });
  server.on("request", answer).on("checkContinue", answer);
  try {
    await bind(server, listen);
  } catch (error) {
    streams.close();
    throw error;
  }
  // Accepting can fail for want of descriptors, and succeeds again later.
  server.on("error", (error) => { warn("A connection to the service could not be accepted", error); });
  let closed: Promise<void> | undefined;
  return {
    address: addressOf(server, listen),
    close: () => (closed ??= closeServer(server, streams, limits)),
  };
}

function makeServer({ connections, headersMs, requestMs, keepAliveMs, stalledMs }: ServerLimits): Server {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: CHECK_MS,
  });
  server.maxConnections = connections;
  server.timeout = stalledMs;
  return server;
}

interface Answering {
  readonly token?: string;
  readonly hosts?: readonly string[];
  readonly routes: ReadonlyMap<string, Route>;
}

function answering(parts: Answering): (request: IncomingMessage, response: ServerResponse) => void {
  const busy = new WeakSet<Socket>();
  return (request, response) => {
    const { socket } = request;
    // Requests that come before the answer to the one before would all be answered into memory.
    if (busy.has(socket)) {
      socket.destroy();
      return;
    }
    busy.add(socket);
    response.once("close", () => { busy.delete(socket); });
    void answer(request, response, parts);
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: Answering): Promise<void> {
  try {
    const reply = await replyTo(request, response, parts);
    if (reply !== undefined) send(response, reply);
  } catch (error) {
    if (!(error instanceof HttpRefusal) && !(error instanceof VramError)) warn("A request to the service failed", error);
    send(response, errorReply(error));
  }
}

function replyTo(request: IncomingMessage, response: ServerResponse, { token, hosts = [], routes }: Answering): ReturnType<Route["answer"]> {
  assertOwnRequest(request, hosts);
  assertNoBody(request);
  const { path, query } = parseTarget(request.url ?? "");
  const route = routes.get(path);
  if (token !== undefined && route?.isOpen !== true) assertToken(request, token);
  if (route === undefined) throw new HttpRefusal(404, "NOT_FOUND", "there is nothing at this path");
  assertMethod(request, route.methods);
  assertParameters(query, route.parameters);
  return route.answer({ request, response, query });
}

function assertNoBody({ headers }: IncomingMessage): void {
  const length = headers["content-length"];
  if (headers["transfer-encoding"] === undefined && (length === undefined || length === "0")) return;
  throw new HttpRefusal(413, "BODY_REFUSED", "requests must have no body", { Connection: "close" });
}

function assertMethod({ method = "" }: IncomingMessage, methods: readonly string[]): void {
  if (!methods.includes(method)) throw new HttpRefusal(405, "METHOD_NOT_ALLOWED", `the method must be ${methods.join(" or ")}`, { Allow: methods.join(", ") });
}

async function closeServer(server: Server, streams: EventStreams, { graceMs }: ServerLimits): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  streams.close();
  // A connection whose last answer ends from here on is idle, and nobody closes it.
  const idle = setInterval(() => { server.closeIdleConnections(); }, IDLE_CHECK_MS);
  const grace = setTimeout(() => { server.closeAllConnections(); }, graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(grace);
}

function addressOf(server: Server, listen: Listen): string {
  if ("socketPath" in listen) return `the socket ${basename(listen.socketPath)}`;
  const bound = server.address();
  const { host } = listen;
  return `http://${host.includes(":") ? `[${host}]` : host}:${typeof bound === "object" && bound !== null ? bound.port : listen.port}/`;
}

/** Of an error that nobody foresaw only its kind is told: its message may hold anything. */
function warn(what: string, error: unknown): void {
  process.emitWarning(`${what}: ${error instanceof Error ? error.name : "unknown"}`);
}
