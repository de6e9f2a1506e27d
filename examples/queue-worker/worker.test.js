// @ts-check
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readAuditEvents, verifyAuditLog } from "vram-audit";
import { FileQueue, QueueFullError } from "./file-queue.js";
import { startWorker } from "./support/start-worker.js";

const put = fileURLToPath(new URL("put.js", import.meta.url));
/** A byte of the matrix: tensors begin at a boundary of 256 bytes. */
const BYTE_OF_WEIGHT = 260;
const OUT_OF_MEMORY = 2;
const JOB = { input: [1, 2, 3, 4] };

/**
 * A queue, and workers for it.
 * @param {import("node:test").TestContext} t
 */
async function place(t) {
  const folder = await mkdtemp(join(tmpdir(), "queue-worker-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [audit, jobs] = [join(folder, "audit"), join(folder, "queue")];
  const queue = new FileQueue(jobs, { maxJobs: 3 });
  await queue.open();
  return {
    audit,
    jobs,
    queue,
    /** @param {string[]} changes of the arguments */
    start: (...changes) => startWorker(t, ["--audit", audit, "--queue", jobs, "--retry-ms", "20", ...changes]),
    /** @param {string} name */
    list: (name) => readdir(join(jobs, name)),
    /** @param {string} id */
    async output(id) {
      return JSON.parse(await readFile(join(jobs, "done", `${id}.json`), "utf8")).output;
    },
    /** The log, which must be whole. */
    async events() {
      assert.equal((await verifyAuditLog({ dir: audit })).ok, true);
      const events = [];
      for await (const event of readAuditEvents({ dir: audit })) events.push(event);
      return events;
    },
  };
}

/**
 * Whether each shard that was released was wiped.
 * @param {import("vram-audit").StoredEvent[]} events
 */
const wipes = (events) => events.flatMap(({ type, data }) => (type === "vram.shard.deallocated" ? [data.wiped] : []));

test("does jobs, sets aside what is none, and at SIGTERM wipes and ends with 0", async (t) => {
  const { start, queue, jobs, list, output, events } = await place(t);
  const { stdout: first } = await promisify(execFile)(process.execPath, [put, jobs, JSON.stringify(JOB)]);
  const wrong = await queue.put({ input: [1] });
  const last = await queue.put(JOB);
  await assert.rejects(queue.put(JOB), QueueFullError);
  await writeFile(join(jobs, "waiting", "note.txt"), "no job");
  const worker = start();
  while ((await list("done")).length + (await list("failed")).length < 3) await delay(10);
  worker.kill("SIGTERM");
  assert.equal(await worker.ended, 0);
  assert.deepEqual([await output(first.trim()), await output(last)], [[1, 4, 5], [1, 4, 5]]);
  const [aside] = await list("failed");
  assert.match(aside ?? "", new RegExp(wrong));
  assert.deepEqual([await list("taken"), await list("waiting")], [[], ["note.txt"]]);
  assert.deepEqual(wipes(await events()), [true]);
});

test("a job for which there is no device memory goes back, and is done later", async (t) => {
  const { start, queue, output } = await place(t);
  const worker = start();
  await worker.told("waiting");
  await worker.fault("failCall", { entryPoint: "cuMemCreate", code: OUT_OF_MEMORY });
  const id = await queue.put(JOB);
  const { attempt } = await worker.told("job done");
  assert.equal(attempt, 2);
  assert.deepEqual(await output(id), [1, 4, 5]);
  const { code, kind } = await worker.told("job later");
  assert.deepEqual([code, kind], ["INSUFFICIENT_VRAM", "retriable"]);
});

test("SIGTERM while the model is being sealed: the job waits for the next worker", async (t) => {
  const { start, queue, list } = await place(t);
  const worker = start();
  await worker.told("waiting");
  await worker.fault("setLatency", "cuMemCreate", 300);
  await queue.put(JOB);
  while ((await list("taken")).length === 0) await delay(10);
  worker.kill("SIGTERM");
  assert.equal(await worker.ended, 0);
  assert.deepEqual([(await list("waiting")).length, (await list("taken")).length, (await list("done")).length], [1, 0, 0]);
});

test("a flipped bit ends the worker with 3, and the job waits for the next worker", async (t) => {
  const { start, queue, list, output, events } = await place(t);
  await queue.put(JOB);
  const worker = start();
  await worker.told("job done");
  const { bufferId } = await worker.sealed();
  await worker.fault("flipBit", { bufferId, byteOffset: BYTE_OF_WEIGHT });
  const id = await queue.put(JOB);
  assert.equal(await worker.ended, 3);
  assert.equal((await worker.told("ended"))["code"], "SEAL_VERIFICATION_FAILED");
  assert.equal((await list("waiting")).length, 1);
  assert.deepEqual(wipes(await events()), [true]);
  const next = start();
  await next.told("job done");
  assert.deepEqual(await output(id), [1, 4, 5]);
});

test("a flipped bit ends the worker with 3 even where its job cannot be given back", async (t) => {
  const { start, queue, jobs, list } = await place(t);
  await queue.put(JOB);
  const worker = start();
  await worker.told("job done");
  const { bufferId } = await worker.sealed();
  await worker.fault("flipBit", { bufferId, byteOffset: BYTE_OF_WEIGHT });
  await worker.fault("setLatency", "cuLaunchKernel", 100);
  await queue.put(JOB);
  while ((await list("taken")).length === 0) await delay(10);
  await rename(join(jobs, "waiting"), join(jobs, "away"));
  assert.equal(await worker.ended, 3);
  assert.equal((await worker.told("ended"))["code"], "SEAL_VERIFICATION_FAILED");
});

test("a job that ends its worker each time comes behind the others, and after 5 attempts is set aside", async (t) => {
  const { queue, list } = await place(t);
  const deadly = await queue.put(JOB);
  await queue.take();
  await queue.put(JOB);
  assert.deepEqual(await queue.recover(), []);
  const other = await queue.take();
  assert.deepEqual([other?.attempt, other?.id === deadly], [1, false]);
  await other?.done({});
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    const job = await queue.take();
    assert.deepEqual([job?.id, job?.attempt], [deadly, attempt]);
    const aside = await queue.recover();
    assert.deepEqual(aside.map(({ id }) => id), attempt < 5 ? [] : [deadly]);
  }
  assert.equal(await queue.take(), undefined);
  assert.equal((await list("failed")).length, 1);
});

test("what is named as a job and is a folder, a link, too long, or no list of F32 numbers is set aside", async (t) => {
  const { start, queue, jobs, list, output } = await place(t);
  const id = await queue.put(JOB);
  const named = (/** @type {number} */ digit) => join(jobs, "waiting", `${"0".repeat(15)}-1-${String(digit).repeat(36)}.json`);
  await mkdir(named(1));
  await writeFile(named(2), `{"input":[1,2,3,4]${" ".repeat(65_536)}}`);
  await writeFile(named(3), '{"input":[1e300,2,3,4]}');
  await writeFile(join(jobs, "elsewhere.json"), JSON.stringify(JOB));
  await symlink(join(jobs, "elsewhere.json"), named(4));
  const worker = start();
  await worker.told("job done");
  assert.deepEqual(await output(id), [1, 4, 5]);
  assert.equal((await list("failed")).length, 4);
});

test("a job that a second worker gave out again is done all the same", async (t) => {
  const { queue, output } = await place(t);
  const id = await queue.put(JOB);
  const job = await queue.take();
  await queue.recover();
  await job?.done({ output: [1] });
  assert.deepEqual(await output(id), [1]);
});

test("a mistake in the configuration is no job's fault: the worker ends with 1, and the job waits for the next one", async (t) => {
  const { start, queue, list } = await place(t);
  await queue.put(JOB);
  const worker = start("--model", "missing.safetensors");
  assert.equal(await worker.ended, 1);
  const { code, kind } = await worker.told("ended");
  assert.deepEqual([code, kind, (await list("waiting")).length], ["INVALID_INPUT", "caller", 1]);
});

test("a job whose worker was killed is done by the next one, and the log counts the shard that was not wiped", async (t) => {
  const { start, queue, list, output, events } = await place(t);
  await queue.put(JOB);
  const worker = start();
  await worker.told("job done");
  await worker.fault("setLatency", "cuLaunchKernel", 60_000);
  const id = await queue.put(JOB);
  while ((await list("taken")).length === 0) await delay(10);
  worker.kill("SIGKILL");
  await worker.ended;
  const next = start();
  await next.told("job done");
  assert.deepEqual(await output(id), [1, 4, 5]);
  const recovered = (await events()).flatMap(({ type, data }) => (type === "vram.audit.recovered" ? [data] : []));
  assert.deepEqual(recovered.map(({ uncleanEnd, liveShards }) => [uncleanEnd, liveShards.length]), [[true, 1]]);
});
