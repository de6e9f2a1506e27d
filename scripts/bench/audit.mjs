// The audit log: durable events against one fdatasync for each, its verification against sha256sum of the same files, and what it
// costs executions.
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { openAuditLog, verifyAuditLog } from "vram-audit";
import { openResidency } from "vram-residency";
import { generate } from "vram-seal";
import { once } from "./once.mjs";
import { hasProgram, runProgram } from "./programs.mjs";
import { secondsOf } from "./seconds-of.mjs";

const FSYNC_EACH = "a line and its fdatasync, one by one";
const CALLERS = [64, 512];
const WORKERS = 64;
const SHARD_BYTES = 65_536;
const DIGEST = "ab".repeat(32);

const event = (index) => ({ type: "vram.shard.verified", severity: "info", data: { shardId: `shard-${index}`, digest: DIGEST, vramBytes: SHARD_BYTES, durationMs: 1.5 } });
/** A line is about as long as those that are appended. */
const LINE = Buffer.from(`${"x".repeat(430)}\n`);

const appendedBy = (callers) => `${callers} callers append`;

/** So many callers, each of which waits for its event before it appends the next: seconds per event. */
function appendSubject(callers, { folder, events }) {
  const log = once(() => openAuditLog({ dir: join(folder, `audit-${callers}`) }));
  const measure = async () => {
    const audit = await log();
    const caller = async (number) => {
      for (let index = number; index < events; index += callers) await audit.append(event(index));
    };
    const seconds = await secondsOf(() => Promise.all(Array.from({ length: callers }, (_, number) => caller(number))));
    return { seconds: seconds / events };
  };
  return { id: appendedBy(callers), measure };
}

function fsyncSubject({ folder, events }) {
  const file = once(() => open(join(folder, "fsync-each"), "a"));
  const lines = Math.ceil(events / 50);
  const measure = async () => {
    const handle = await file();
    const seconds = await secondsOf(async () => {
      for (let line = 0; line < lines; line += 1) {
        await handle.write(LINE);
        await handle.datasync();
      }
    });
    return { seconds: seconds / lines };
  };
  return { id: FSYNC_EACH, measure };
}

/** A closed log of so many lines: its directory, and its segments. */
async function writeLog(dir, events) {
  const log = await openAuditLog({ dir });
  for (let done = 0; done < events; ) {
    const batch = Math.min(4096, events - done);
    await Promise.all(Array.from({ length: batch }, (_, index) => log.append(event(done + index))));
    done += batch;
  }
  await log.close();
  const segments = (await readdir(dir)).filter((name) => name.endsWith(".jsonl")).map((name) => join(dir, name));
  const sizes = await Promise.all(segments.map(async (segment) => (await stat(segment)).size));
  return { dir, segments, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function verifySubjects({ folder, lines }) {
  const log = once(() => writeLog(join(folder, "audit-verified"), lines));
  const verify = async () => {
    const { dir, bytes } = await log();
    let verification;
    const seconds = await secondsOf(async () => (verification = await verifyAuditLog({ dir })));
    if (!verification.ok) throw new Error("the log does not verify");
    return { seconds: seconds / bytes };
  };
  const sum = async () => {
    const { segments, bytes } = await log();
    return { seconds: (await runProgram("sha256sum", segments)).seconds / bytes };
  };
  const peer = { id: "sha256sum of a log", ...(hasProgram("sha256sum") ? { measure: sum } : { absent: "sha256sum is absent" }) };
  return [{ id: "verifyAuditLog()", measure: verify, bytes: 1 }, peer];
}

const nothing = () => Promise.resolve();
/** A log that keeps nothing: what executions cost without one. */
const nullLog = () => ({ append: nothing, head: () => ({ origin: "none", size: 0, root: "" }), close: nothing });

/** Many executions at the same time, of a shard each: seconds of all. */
function executeSubject(id, { workplace, surroundings, makeLog, rounds }) {
  const worker = once(async () => {
    const residency = await openResidency({ ...workplace.open, workerId: "bench", sealKey: await generate(), audit: await makeLog() });
    const bytes = Buffer.alloc(SHARD_BYTES, 1);
    const shards = await Promise.all(Array.from({ length: WORKERS }, () => residency.seal(bytes)));
    return { residency, shards };
  });
  const measure = async () => {
    const { residency, shards } = await worker();
    const executions = () => Promise.all(shards.map((shard) => residency.execute(shard, () => undefined)));
    const seconds = await surroundings(() =>
      secondsOf(async () => {
        for (let round = 0; round < rounds; round += 1) await executions();
      }),
    );
    return { seconds: seconds / rounds };
  };
  return { id, backend: workplace.backend, measure };
}

/** Executions with a log and without: how long the digest takes decides what the log costs beside it. */
function executionPair(suffix, common) {
  const { folder, workplace } = common;
  const [logged, unlogged] = [`${WORKERS} executions with a log${suffix}`, `${WORKERS} executions without one${suffix}`];
  return {
    subjects: [
      executeSubject(logged, { ...common, makeLog: () => openAuditLog({ dir: join(folder, `audit-executions${suffix.replaceAll(/\W+/gu, "-")}`) }) }),
      executeSubject(unlogged, { ...common, makeLog: nullLog }),
    ],
    row: { id: `${WORKERS} executions of 64 KiB with a log : without${suffix}`, backend: workplace.backend, own: logged, peer: unlogged },
  };
}

export function auditGroup({ folder, workplace, options }) {
  const events = options.quick ? 4_096 : 32_768;
  const place = { folder, events };
  const rounds = options.quick ? 2 : 8;
  const asIs = executionPair("", { folder, workplace, surroundings: (work) => work(), rounds });
  // On the simulator the host's hash is as fast as a GPU would be: what is left is the price of the calls.
  const fast = executionPair(", digest at once", { folder, workplace, surroundings: workplace.surroundings, rounds: rounds * 4 });
  return {
    name: "audit",
    subjects: [
      ...CALLERS.map((callers) => appendSubject(callers, place)),
      fsyncSubject(place),
      ...verifySubjects({ folder, lines: options.quick ? 20_000 : 200_000 }),
      ...asIs.subjects,
      ...fast.subjects,
    ],
    rows: [
      { id: `durable events, ${CALLERS[0]} callers : one fdatasync each`, own: appendedBy(CALLERS[0]), peer: FSYNC_EACH, must: 8, aim: 15 },
      { id: `durable events, ${CALLERS[1]} callers : one fdatasync each`, own: appendedBy(CALLERS[1]), peer: FSYNC_EACH, must: 15, aim: 25 },
      { id: "verification of a log : sha256sum", own: "verifyAuditLog()", peer: "sha256sum of a log", must: 0.2, aim: 0.4 },
      { id: "verification of a log", own: "verifyAuditLog()", unit: "MB/s" },
      { ...asIs.row, must: 0.9, aim: 0.95 },
      fast.row,
    ],
  };
}
