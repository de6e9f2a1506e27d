// @ts-check
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { closeServer } from "./close-server.js";
import { compute } from "./compute.js";
import { errorFields, isVramError, log } from "./log.js";
import { Refusal, readJson } from "./request.js";

const RUNNING_MAX = 64;
const CONNECTIONS_MAX = 256;
const GRACE_MS = 10_000;
const SERVER_LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  // How often Node looks for requests that took longer; every 30 seconds unless told.
  connectionsCheckingInterval: 1000,
};

/** Serves computations on a sealed model to this machine; TLS and authentication are a proxy's. */
export class HttpService {
  #residency;
  /** @type {{ shard: import("vram-residency").SealedShard, columns: number } | undefined} */
  #model;
  #running = 0;
  #isDraining = false;
  #server = createServer(SERVER_LIMITS, (request, response) => void this.#answer(request, response));

  /** @param {import("vram-residency").Residency} residency */
  constructor(residency) {
    this.#residency = residency;
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /**
   * @param {number} port 0: any that is free
   * @returns {Promise<number>} the port
   */
  async listen(port) {
    await once(this.#server.listen(port, "127.0.0.1"), "listening");
    // Accepting can fail for want of descriptors, and succeeds again later.
    this.#server.on("error", (error) => log("error", "not accepted", errorFields(error)));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /**
   * Ready from here on.
   * @param {import("vram-residency").SealedShard} shard
   */
  async start(shard) {
    const columns = await this.#residency.execute(shard, ({ tensors }) => tensors.get("weight")?.shape[1]);
    if (columns === undefined) throw new TypeError("the model must have a matrix named weight");
    this.#model = { shard, columns };
  }

  /** No longer ready, so that whoever shares out requests sends none; those that come are answered. */
  drain() {
    this.#isDraining = true;
  }

  /** Takes no more connections, and waits for the requests that run. */
  async close() {
    this.drain();
    await closeServer(this.#server, GRACE_MS);
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   */
  async #answer(request, response) {
    const correlationId = randomUUID();
    try {
      const [status, body] = await this.#route(request, response, correlationId);
      this.#send(response, status, body);
    } catch (error) {
      if (!(error instanceof Refusal)) log("error", "request failed", { ...errorFields(error), correlationId });
      const { status, code, isRetriable } = refusalOf(error);
      if (isRetriable) response.setHeader("Retry-After", 1);
      // What is left of the body is not read.
      if (!request.complete) response.setHeader("Connection", "close");
      this.#send(response, status, { error: { code, correlationId } });
    }
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   * @param {string} correlationId
   * @returns {Promise<[status: number, body: unknown]>}
   */
  async #route(request, response, correlationId) {
    switch (`${request.method} ${request.url}`) {
      case "GET /healthz":
        return probe(this.#isHealthy);
      case "GET /readyz":
        return probe(this.#isHealthy && this.#model !== undefined && !this.#isDraining);
      case "POST /run":
        return [200, await this.#run(request, response, correlationId)];
      default:
        throw new Refusal(404, "NOT_FOUND");
    }
  }

  get #isHealthy() {
    return this.#residency.state === "ready" && this.#residency.auditTrail.state === "open";
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   * @param {string} correlationId
   */
  async #run(request, response, correlationId) {
    // A client that sends slowly holds no slot. A connection sends one body at a time, so CONNECTIONS_MAX bounds these.
    const body = await readJson(request);
    if (this.#model === undefined || this.#running === RUNNING_MAX) throw new Refusal(503, "BUSY", { isRetriable: true });
    this.#running += 1;
    try {
      const { shard, columns } = this.#model;
      const input = toInput(body, columns);
      const left = new AbortController();
      response.once("close", () => left.abort());
      const output = await this.#residency.execute(shard, (lease) => compute(lease, input), { signal: left.signal, correlationId });
      return { output: [...output], correlationId };
    } finally {
      this.#running -= 1;
    }
  }

  /**
   * @param {import("node:http").ServerResponse} response
   * @param {number} status
   * @param {unknown} body
   */
  #send(response, status, body) {
    if (this.#isDraining) response.setHeader("Connection", "close");
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(body));
  }
}

/**
 * @param {unknown} body
 * @param {number} length
 */
function toInput(body, length) {
  const given = typeof body === "object" && body !== null && "input" in body ? body.input : undefined;
  const input = Array.isArray(given) && given.every((each) => typeof each === "number") ? Float32Array.from(given) : undefined;
  // As F32, for which 1e300 is infinite.
  if (input?.length !== length || !input.every(Number.isFinite)) throw new Refusal(400, "INVALID_INPUT");
  return input;
}

/**
 * @param {boolean} isGood
 * @returns {[status: number, body: unknown]}
 */
function probe(isGood) {
  return isGood ? [200, { status: "ok" }] : [503, { status: "unavailable" }];
}

/**
 * A client is told a code: a stopped worker, and what may be different later, is 503; what is wrong in this program is 500.
 * @param {unknown} error
 */
function refusalOf(error) {
  if (error instanceof Refusal) return error;
  if (isVramError(error) && error.kind !== "caller") return new Refusal(503, error.code, { isRetriable: error.kind === "retriable" });
  return new Refusal(500, "INTERNAL");
}
