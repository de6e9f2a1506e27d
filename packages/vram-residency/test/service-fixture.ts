import { request } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import type { AuditLog, OpenAuditLogOptions } from "vram-audit";
import { onTestFinished } from "vitest";
import { sealVerified } from "../src/events.js";
import { EventFeed } from "../src/service/event-feed.js";
import { startServer } from "../src/service/http-server.js";
import type { ServerOptions, ServiceServer } from "../src/service/http-server.js";
import { SERVER_LIMITS } from "../src/service/http/server-limits.js";
import type { ServiceSnapshot, ServiceView } from "../src/service/service-state.js";
import { temporaryFolder } from "./fixture.js";

export const snapshot: ServiceSnapshot = {
  ...{ at: "2026-01-31T00:00:00.000Z", workerId: "w 1", instanceId: "cd".repeat(16), backend: "simulator", state: "ready", stopped: null },
  ...{ devices: [], shards: [], policy: [], damage: [] },
  audit: { state: "open", size: 1, root: "", origin: "origin", anchors: [] },
};

export const fakeView = (own: Partial<ServiceView> = {}): ServiceView => ({
  snapshot: () => snapshot,
  health: () => ({ ok: true, body: { status: "ok" } }),
  readiness: () => ({ ok: false, body: { status: "sealing" } }),
  metrics: () => Promise.resolve({ contentType: "text/plain; version=0.0.4", text: "vram_up 1\n" }),
  attest: (nonce) => Promise.resolve(JSON.stringify({ nonce: Buffer.from(nonce).toString("hex") })),
  ...own,
});

export const verified = sealVerified({ shardId: "shard-0", digest: "ab".repeat(32), vramBytes: 4096, durationMs: 1 });

export interface OpenLog {
  readonly dir: string;
  readonly log: AuditLog;
}

export async function openLog(options: Partial<OpenAuditLogOptions> = {}): Promise<OpenLog> {
  const dir = join(await temporaryFolder(), "audit");
  const log = await openAuditLog({ dir, ...options });
  onTestFinished(() => log.close());
  return { dir, log };
}

export function openFeed({ dir, log }: OpenLog): EventFeed {
  return feedOf(dir, log.head().size);
}

export function feedOf(dir: string, linesBefore: number): EventFeed {
  const feed = new EventFeed({ dir, linesBefore });
  onTestFinished(() => feed.close());
  return feed;
}

export interface Served extends ServiceServer {
  readonly port: number;
}

/** A server at a free port of 127.0.0.1; without a feed of the test's own, one of a log that is not there. */
export async function serve(options: Partial<ServerOptions> = {}): Promise<Served> {
  const feed = options.feed ?? feedOf(join(tmpdir(), "vram-test-no-log"), 0);
  const server = await startServer({
    ...{ listen: { host: "127.0.0.1", port: 0 }, view: fakeView(), feed, page: (nonce) => `<script nonce="${nonce}"></script>` },
    ...options,
    limits: { ...SERVER_LIMITS, graceMs: 100, ...options.limits },
  });
  onTestFinished(() => server.close());
  return { ...server, port: Number(/:([0-9]+)\/$/.exec(server.address)?.[1]) };
}

export interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  readonly socketPath?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks as a client that has done nothing wrong yet. */
export function ask(port: number, { path = "/api/shards", method = "GET", headers = {}, body, socketPath }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const where = socketPath === undefined ? { host: "127.0.0.1", port } : { socketPath };
    const asking = request({ ...where, path, method, headers: { host: `localhost:${port}`, ...headers }, agent: false }, (response) => {
      void textOf(response).then((text) => { resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }); }, reject);
    });
    asking.on("error", reject).end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Sends bytes as they are, and resolves to all that comes back before the server ends the connection. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setEncoding("utf8").on("data", (chunk: string) => { received += chunk; });
    socket.on("error", () => undefined).on("close", () => { resolve(received); });
  });
}

export interface StreamEvent {
  readonly event: string;
  readonly id: number | undefined;
  readonly data: string;
}

export interface Watching {
  readonly events: readonly StreamEvent[];
  readonly ended: Promise<void>;
  leave(): void;
}

/** Watches the events of a service. */
export function watch(port: number, { path = "/api/events", headers = {} }: Asked = {}): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const events: StreamEvent[] = [];
    const asking = request({ host: "127.0.0.1", port, path, headers: { host: `localhost:${port}`, ...headers }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        const parts = (text + chunk).split("\n\n");
        text = parts.pop() ?? "";
        events.push(...parts.map(parseEvent).filter(({ event }) => event !== ""));
      });
      const ended = new Promise<void>((end) => response.on("error", () => undefined).on("close", () => { end(); }));
      resolve({ events, ended, leave: () => { asking.destroy(); } });
    });
    asking.on("error", reject).end();
  });
}

function parseEvent(text: string): StreamEvent {
  const fields = Object.fromEntries(text.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]));
  return { event: fields["event"] ?? "", id: fields["id"] === undefined ? undefined : Number(fields["id"]), data: fields["data"] ?? "" };
}

export const lineNumbers = ({ events }: Watching): readonly number[] => events.filter(({ event }) => event === "audit").map(({ id }) => id ?? 0);
