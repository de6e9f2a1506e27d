// @ts-check
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, mock, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AuditError, readAuditEvents, verifyAuditLog } from "vram-audit";
import { openAuditLog } from "vram-residency";
import { simulator } from "vram-simulator";
import { failCall, flipBit, loseDevice, resetSimulator, simulatorStats } from "vram-simulator/control";
import { Worker } from "./worker.js";

const model = fileURLToPath(new URL("model.safetensors", import.meta.url));
const sha256 = "1690b6552e069abe1b227a26740f0f36e3591ba1b7b8afb59e490f3437d26c06";
/** A byte of the matrix: tensors begin at a boundary of 256 bytes. */
const BYTE_OF_WEIGHT = 260;
const READ_ONLY = 1;
const OUT_OF_MEMORY = 2;
const LAUNCH_FAILED = 719;
const input = Float32Array.of(1, 2, 3, 4);

/** Stands in for the engine's native code: JavaScript cannot read the weights, with or without a GPU. */
const engine = mock.fn((/** @type {import("vram-residency").Lease} */ lease, /** @type {Float32Array} */ given) => {
  assert.deepEqual(lease.tensors.get("weight")?.shape, [3, 4]);
  return given.map((each) => 2 * each);
});

/** @type {string} */
let folder;
/** @type {import("vram-residency").AuditLog} */
let audit;

beforeEach(async () => {
  resetSimulator();
  engine.mock.resetCalls();
  folder = await mkdtemp(join(tmpdir(), "worker-test-"));
  audit = await openAuditLog({ dir: join(folder, "audit") });
});

/** Whatever happened, the log is whole. */
afterEach(async () => {
  assert.equal((await verifyAuditLog({ dir: join(folder, "audit") })).ok, true);
  await rm(folder, { recursive: true });
});

/** @param {Partial<import("./worker.js").WorkerOptions>} [changes] */
const openWorker = (changes) =>
  Worker.open({ model, sha256, audit, engine, driver: simulator(), policy: { allowBackends: ["simulator"] }, ...changes });

/**
 * The refusal that an operation ends in.
 * @param {Promise<unknown>} operation
 */
async function refusal(operation) {
  const error = await operation.then(
    () => undefined,
    (reason) => reason,
  );
  assert.equal(error?.name, "VramError", `expected a VramError, got ${error}`);
  return error;
}

async function events() {
  const events = [];
  for await (const event of readAuditEvents({ dir: join(folder, "audit") })) events.push(event);
  return events;
}

const eventTypes = async () => (await events()).map(({ type }) => type);

/** What the log says of each shard's end. */
const wipes = async () => (await events()).flatMap(({ type, data }) => (type === "vram.shard.deallocated" ? [{ wiped: data.wiped, lost: data.lost }] : []));

function bufferIdOfWeights() {
  const sealed = simulatorStats().allocations.find(({ access }) => access === READ_ONLY);
  assert.ok(sealed);
  return sealed.bufferId;
}

test("runs the engine on verified weights, and wipes them at its end", async () => {
  const worker = await openWorker();
  const bufferId = bufferIdOfWeights();
  assert.deepEqual(await worker.run(input), Float32Array.of(2, 4, 6, 8));
  assert.equal(engine.mock.callCount(), 1);
  await worker.close();
  assert.equal(simulatorStats().freed.find((each) => each.bufferId === bufferId)?.zeroed, true);
});

test("a flipped bit in device memory: refused before the engine is called, for good", async () => {
  const worker = await openWorker();
  flipBit({ bufferId: bufferIdOfWeights(), byteOffset: BYTE_OF_WEIGHT, bit: 6 });
  const { code, kind, details } = await refusal(worker.run(input));
  assert.deepEqual([code, kind, details.reason], ["SEAL_VERIFICATION_FAILED", "fatal", "digest"]);
  assert.equal(worker.state, "stopped");
  assert.equal((await refusal(worker.run(input))).code, "STOPPED");
  assert.equal(engine.mock.callCount(), 0);
  await worker.close();
  assert.ok((await eventTypes()).includes("vram.seal.verification_failed"));
  assert.deepEqual(await wipes(), [{ wiped: true, lost: false }]);
});

test("a file that was not approved is not sealed, and that is told even where the log does not close", async () => {
  const close = audit.close.bind(audit);
  mock.method(audit, "close", async () => {
    await close();
    throw new AuditError("AUDIT_UNAVAILABLE", "the disk is full", { details: { reason: "full" } });
  });
  const { code, details } = await refusal(openWorker({ sha256: "0".repeat(64) }));
  assert.deepEqual([code, details.reason], ["INTEGRITY_VIOLATION", "expect"]);
  assert.equal((await eventTypes()).includes("vram.shard.sealed"), false);
});

test("no device memory is free: retriable, and the next try is good", async () => {
  failCall({ entryPoint: "cuMemCreate", code: OUT_OF_MEMORY });
  const { code, kind } = await refusal(openWorker());
  assert.deepEqual([code, kind], ["INSUFFICIENT_VRAM", "retriable"]);
  audit = await openAuditLog({ dir: join(folder, "audit") });
  const worker = await openWorker();
  await worker.run(input);
  await worker.close();
});

test("a device that is lost cannot show its memory: the engine is not called, and the log says that nothing was wiped", async () => {
  const worker = await openWorker();
  loseDevice(LAUNCH_FAILED);
  const { code, kind, details } = await refusal(worker.run(input));
  assert.deepEqual([code, kind, details.reason], ["SEAL_VERIFICATION_FAILED", "fatal", "driver"]);
  assert.equal(engine.mock.callCount(), 0);
  await worker.close();
  assert.deepEqual(await wipes(), [{ wiped: false, lost: true }]);
});

test("an engine that loses the device: what it returned is not given out", async () => {
  const worker = await openWorker();
  engine.mock.mockImplementationOnce(() => {
    loseDevice(LAUNCH_FAILED);
    return input;
  });
  const { code, kind } = await refusal(worker.run(input));
  assert.deepEqual([code, kind, worker.state], ["DEVICE_LOST", "fatal", "stopped"]);
  await worker.close();
});

test("a full disk under the log: what cannot be told is not done", async () => {
  const worker = await openWorker();
  const append = audit.append.bind(audit);
  // What vram-audit does: its reserve takes critical events still.
  mock.method(audit, "append", async (/** @type {import("vram-audit").AuditEvent} */ event) => {
    if (event.severity === "critical") return append(event);
    throw new AuditError("AUDIT_UNAVAILABLE", "the disk is full", { details: { reason: "full" } });
  });
  const { code, kind, details } = await refusal(worker.run(input));
  assert.deepEqual([code, kind, details.reason], ["AUDIT_UNAVAILABLE", "fatal", "full"]);
  assert.equal(engine.mock.callCount(), 0);
  await worker.close();
});

test("the simulator is refused where nobody allows it", async () => {
  assert.equal((await refusal(openWorker({ policy: {} }))).code, "POLICY_VIOLATION");
});
