// @ts-check
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { readAuditEvents, verifyAuditLog } from "vram-audit";
import { startWorker } from "./support/start-worker.js";

/** A byte of the matrix: tensors begin at a boundary of 256 bytes. */
const BYTE_OF_WEIGHT = 260;

/**
 * @param {import("node:test").TestContext} t
 * @param {string[]} changes of the arguments
 */
async function start(t, ...changes) {
  const folder = await mkdtemp(join(tmpdir(), "http-worker-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const audit = join(folder, "audit");
  const worker = startWorker(t, ["--audit", audit, "--port", "0", "--drain-seconds", "0", ...changes]);
  const { port } = await worker.told("listening");
  /** @param {string} path @param {RequestInit} [init] */
  const ask = async (path, init) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const body = /** @type {any} */ (await response.json());
    return { status: response.status, headers: response.headers, body };
  };
  return {
    ...worker,
    folder,
    port: Number(port),
    ask,
    /** @param {string} body @param {Record<string, string>} [headers] */
    run: (body, headers) => ask("/run", { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } }),
    /** The log is whole, and says of every shard that it was wiped. */
    async assertWiped() {
      assert.equal((await verifyAuditLog({ dir: audit })).ok, true);
      const wiped = [];
      for await (const { type, data } of readAuditEvents({ dir: audit })) if (type === "vram.shard.deallocated") wiped.push(data.wiped);
      assert.deepEqual(wiped, [true]);
    },
  };
}

test("answers what the sealed matrix gives, and refuses what is no request for it", async (t) => {
  const worker = await start(t);
  await worker.told("ready");
  assert.equal((await worker.ask("/healthz")).status, 200);
  assert.equal((await worker.ask("/readyz")).status, 200);
  const { status, body } = await worker.run('{"input":[1,2,3,4]}');
  assert.deepEqual([status, body.output], [200, [1, 4, 5]]);

  const refused = [
    await worker.ask("/"),
    await worker.run("{"),
    await worker.run('{"input":[1,2,3]}'),
    await worker.run('{"input":[1,2,3,"4"]}'),
    await worker.run('{"input":[1,2,3,1e300]}'),
    await worker.run("null"),
    await worker.run("input=1", { "Content-Type": "application/x-www-form-urlencoded" }),
    await worker.run(" ".repeat(65_537)),
  ];
  assert.deepEqual(
    refused.map(({ status, body }) => [status, body.error.code]),
    [
      [404, "NOT_FOUND"],
      [400, "NOT_JSON"],
      ...Array.from({ length: 4 }, () => [400, "INVALID_INPUT"]),
      [415, "NOT_JSON"],
      [413, "BODY_TOO_LARGE"],
    ],
  );
  assert.equal((await worker.run('{"input":[0,1,0,0]}')).status, 200);
});

test("clients that send slowly hold up nobody else", async (t) => {
  const worker = await start(t);
  await worker.told("ready");
  for (let each = 0; each < 64; each += 1) {
    const socket = connect(worker.port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.write('POST /run HTTP/1.1\r\nHost: worker\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"input":');
  }
  // Until they are in the worker.
  await delay(200);
  assert.equal((await worker.run('{"input":[1,2,3,4]}')).status, 200);
});

test("at SIGTERM it is not ready, answers what it was asked, wipes, and ends with 0", async (t) => {
  const worker = await start(t, "--drain-seconds", "2");
  await worker.told("ready");
  await worker.fault("setLatency", "cuLaunchKernel", 400);
  const running = worker.run('{"input":[1,2,3,4]}');
  // Until the request is in the worker.
  await worker.ask("/healthz");
  worker.kill("SIGTERM");
  worker.kill("SIGTERM");
  await worker.told("draining");
  assert.equal((await worker.ask("/readyz")).status, 503);
  assert.equal((await worker.ask("/healthz")).status, 200);
  assert.deepEqual((await running).body.output, [1, 4, 5]);
  assert.equal(await worker.ended, 0);
  await worker.assertWiped();
});

test("a flipped bit: the request is answered 503, the weights are wiped, and the worker ends with 3", async (t) => {
  const worker = await start(t, "--drain-seconds", "2");
  await worker.told("ready");
  const { bufferId } = await worker.sealed();
  await worker.fault("flipBit", { bufferId, byteOffset: BYTE_OF_WEIGHT });
  const { status, headers, body } = await worker.run('{"input":[1,2,3,4]}');
  assert.deepEqual([status, body.error.code, headers.get("Retry-After")], [503, "SEAL_VERIFICATION_FAILED", null]);
  await worker.told("draining");
  assert.equal((await worker.run('{"input":[1,2,3,4]}')).body.error.code, "STOPPED");
  // At once, and not at its end: it still serves.
  while ((await worker.sealed()) !== undefined) await delay(10);
  assert.equal((await worker.ask("/readyz")).status, 503);
  assert.equal((await worker.ask("/healthz")).status, 503);
  assert.equal(await worker.ended, 3);
  await worker.assertWiped();
  assert.equal(JSON.stringify(worker.lines).includes(worker.folder), false);
});

test("a file that was not approved is never served: the worker ends with 3", async (t) => {
  const worker = await start(t, "--sha256", "0".repeat(64));
  assert.equal(await worker.ended, 3);
  assert.equal((await worker.told("ended"))["code"], "INTEGRITY_VIOLATION");
  assert.equal(worker.lines.some(({ event }) => event === "ready"), false);
});
