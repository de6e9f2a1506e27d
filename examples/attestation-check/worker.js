// @ts-check
// A worker that seals a model and attests it to whoever asks with a nonce: GET /attest?nonce=HEX
import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { fromAttestationKeyFile, generate, openAuditLog, openResidency } from "vram-residency";
import { closeServer } from "./close-server.js";
import { errorFields, log } from "./log.js";
import { runWorker } from "./run-worker.js";

const USAGE = "usage: node worker.js --model FILE --sha256 HEX --audit DIR --attestation-key FILE [--port N] [--simulate]\n";
const WRONG_USE = 2;
const SERVER_LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  // How often Node looks for requests that took longer; every 30 seconds unless told.
  connectionsCheckingInterval: 1000,
};
const CONNECTIONS_MAX = 16;
const ATTESTING_MAX = 4;
const GRACE_MS = 2000;
const TARGET = /^\/attest\?nonce=(?<nonce>(?:[0-9a-f]{2}){16,64})$/;

/** What the command line says; undefined where it says nothing that makes sense. */
function readArguments() {
  const text = /** @type {const} */ ({ type: "string" });
  try {
    const { values } = parseArgs({
      options: {
        ...{ model: text, sha256: text, audit: text, "attestation-key": text },
        port: { ...text, default: "8081" },
        simulate: { type: "boolean", default: false },
      },
    });
    const { model, sha256, audit, port, simulate, "attestation-key": key } = values;
    if (model === undefined || sha256 === undefined || audit === undefined || key === undefined) return undefined;
    return /^[0-9]{1,5}$/.test(port) ? { model, sha256, audit, key, simulate, port: Number(port) } : undefined;
  } catch {
    return undefined;
  }
}

/** @typedef {NonNullable<ReturnType<typeof readArguments>>} Options */

/** @param {Options} options */
async function open({ audit, key, simulate }) {
  return openResidency({
    workerId: "attested-worker",
    sealKey: await generate(),
    attestationKey: await fromAttestationKeyFile(key),
    audit: await openAuditLog({ dir: audit }),
    policy: { requireExpected: true, ...(simulate && { allowBackends: ["simulator"] }) },
    ...(simulate && { driver: (await import("vram-simulator")).simulator() }),
  });
}

/**
 * @param {import("vram-residency").Residency} residency
 * @param {import("vram-residency").SealedShard} shard
 */
function attestationServer(residency, shard) {
  let attesting = 0;
  const server = createServer(SERVER_LIMITS, async ({ method, url = "" }, response) => {
    const nonce = method === "GET" ? TARGET.exec(url)?.groups?.["nonce"] : undefined;
    if (nonce === undefined) return response.writeHead(404).end();
    // One connection can ask many times before its first answer.
    if (attesting === ATTESTING_MAX) return response.writeHead(503, { "Retry-After": "1" }).end('{"error":{"code":"BUSY"}}');
    attesting += 1;
    const left = new AbortController();
    response.once("close", () => left.abort());
    try {
      const envelope = await residency.attest(shard, { nonce: Buffer.from(nonce, "hex"), signal: left.signal });
      response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" }).end(envelope);
    } catch (error) {
      log("error", "not attested", errorFields(error));
      response.writeHead(503).end();
    } finally {
      attesting -= 1;
    }
  });
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

/**
 * Attests until a signal comes or the worker stops.
 * @param {import("vram-residency").Residency} residency
 * @param {AbortSignal} ending
 * @param {Options} options
 */
async function serve(residency, ending, { model, sha256, port }) {
  const shard = await residency.seal(model, { expect: { sha256 }, signal: ending });
  const server = attestationServer(residency, shard);
  await once(server.listen(port, "127.0.0.1"), "listening");
  // Accepting can fail for want of descriptors, and succeeds again later.
  server.on("error", (error) => log("error", "not accepted", errorFields(error)));
  const address = server.address();
  log("info", "ready", { port: typeof address === "object" ? address?.port : port, digest: shard.digest });
  const end = AbortSignal.any([ending, residency.signal]);
  if (!end.aborted) await once(end, "abort");
  await closeServer(server, GRACE_MS);
}

const options = readArguments();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = WRONG_USE;
} else {
  await runWorker({ open: () => open(options), work: (residency, ending) => serve(residency, ending, options) });
}
