// What a verification of a part costs, where damage lies, its repair, and whether a scrub keeps its budget: against whole
// verifications of as many bytes. Damage is one flipped bit, made by the threat model's hostile engine: the last of a block, at
// which the search for it comes last.
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openAuditLog } from "vram-audit";
import { openResidency } from "vram-residency";
import { generate } from "vram-seal";
import { tamper } from "vram-simulator/tamper";
import { once } from "./once.mjs";
import { makeRandomFile } from "./random-file.mjs";
import { secondsOf } from "./seconds-of.mjs";
import { upkeepRows } from "./upkeep-rows.mjs";

const MIB = 2 ** 20;
const BLOCK_BYTES = 4096;
const LAST_BIT = { byteOffset: BLOCK_BYTES - 1, bit: 7 };
const SCRUB_MS = 3_000;

function sizeOf(isGpu, { quick }) {
  if (isGpu) return 1024 * MIB;
  return (quick ? 64 : 256) * MIB;
}

function blockOf(path, index) {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const fd = openSync(path, "r");
  readSync(fd, bytes, 0, BLOCK_BYTES, index * BLOCK_BYTES);
  closeSync(fd);
  return { index, bytes };
}

/** Memory beneath the facade, with its tree. */
async function openAllocation({ device }, { path, byteLength, fsverity }) {
  const allocation = await device.allocate(byteLength);
  const fd = openSync(path, "r");
  await allocation.appendFile(fd, byteLength);
  closeSync(fd);
  await allocation.finishLoad();
  await allocation.freeze();
  if ((await allocation.digest({ keepTree: true })) !== fsverity) throw new Error("the memory has another digest than the file");
  const flip = (index) => {
    const view = allocation.view({ byteOffset: index * BLOCK_BYTES, byteLength: BLOCK_BYTES });
    tamper(view, LAST_BIT);
    allocation.endView(view);
  };
  return { allocation, flip };
}

async function locate({ allocation }, { fsverity }, index) {
  const { blockCount, blocks } = await allocation.locate({ digest: fsverity });
  if (blockCount !== 1 || blocks[0].index !== index) throw new Error("the damaged block was not located");
}

function allocationSubjects(workplace, file, nextBlock) {
  const opened = once(() => openAllocation(workplace, file()));
  /** Flips a bit, and takes the time until what was asked for is done. */
  const damaged = async (work) => {
    const index = nextBlock();
    const memory = await opened();
    memory.flip(index);
    return { seconds: await work(memory, index) };
  };
  const measureLocate = () =>
    damaged(async (memory, index) => {
      const seconds = await secondsOf(() => locate(memory, file(), index));
      memory.flip(index);
      return seconds;
    });
  const measureRepair = () =>
    damaged((memory, index) =>
      secondsOf(async () => {
        const { path, fsverity } = file();
        await locate(memory, file(), index);
        await memory.allocation.repair([blockOf(path, index)], { digest: fsverity });
        const { digest } = await memory.allocation.inspect();
        if (digest !== fsverity) throw new Error("the memory was not repaired");
      }),
    );
  return [
    { id: "locate one damaged block", measure: measureLocate },
    { id: "repair one block", measure: measureRepair },
  ];
}

async function openShard({ folder, workplace: { open } }, { path }) {
  const residency = await openResidency({
    ...open,
    policy: { ...open.policy, allowRepair: true, afterRepair: "continue" },
    ...{ workerId: "bench", sealKey: await generate(), audit: await openAuditLog({ dir: join(folder, "audit-upkeep") }) },
  });
  return { residency, shard: await residency.seal(path, { format: "opaque" }) };
}

/** A verification that fails, and the shard whole again and sealed anew. */
async function verifyAndRepair({ residency, shard }, index) {
  await residency.execute(shard, (lease) => tamper(lease.view({ offset: index * BLOCK_BYTES, byteLength: BLOCK_BYTES }), LAST_BIT));
  let failure;
  const seconds = await secondsOf(() => residency.verify(shard).catch((error) => (failure = error)));
  if (failure?.code !== "SEAL_VERIFICATION_FAILED" || residency.signal.aborted) throw new Error("the shard was not repaired");
  return { seconds };
}

/** Seconds per byte that a scrub takes. */
async function scrub({ residency }, { bytesPerSecond, rangeBytes }) {
  const scrubber = residency.startScrub({ periodMs: 1, bytesPerSecond, rangeBytes });
  const seconds = await secondsOf(() => delay(SCRUB_MS));
  const [{ doneBytes }] = scrubber.progress;
  await scrubber.close();
  return { seconds: seconds / doneBytes };
}

function shardSubjects(place, file, byteLength, nextBlock) {
  const opened = once(() => openShard(place, file()));
  const verify = async (options) => {
    const { residency, shard } = await opened();
    const { durationMs } = await residency.verify(shard, options);
    return { seconds: durationMs / 1e3 };
  };
  const partBytes = Math.floor(byteLength / 100);
  // An eighth of the shard in a second: no pass ends while it is measured.
  const budget = { bytesPerSecond: byteLength / 8, rangeBytes: byteLength / 256 };
  return [
    { id: "verify whole", bytes: byteLength, measure: () => verify() },
    { id: "verify 1 %", bytes: partBytes, measure: () => verify({ range: { offset: nextBlock() * BLOCK_BYTES, byteLength: partBytes } }) },
    { id: "verify and repair one block", measure: async () => verifyAndRepair(await opened(), nextBlock()) },
    { id: "scrub", bytes: 1, measure: async () => scrub(await opened(), budget) },
    { id: "budget of the scrub", bytes: 1, measure: () => ({ seconds: 1 / budget.bytesPerSecond }) },
  ];
}

export function upkeepGroup({ folder, workplace, options }) {
  const { backend } = workplace;
  const byteLength = sizeOf(backend !== "simulator", options);
  const file = once(() => makeRandomFile(join(folder, "upkeep.bin"), { byteLength, seed: options.seed }));
  const blocks = byteLength / BLOCK_BYTES;
  let block = 0;
  /** Another block each time, for none is repaired twice; far from the one before, and 1 % of the shard from its end. */
  const nextBlock = () => (block = (block + 7_919) % Math.floor(blocks * 0.98));
  const subjects = [...allocationSubjects(workplace, file, nextBlock), ...shardSubjects({ folder, workplace }, file, byteLength, nextBlock)];
  return { name: "upkeep", subjects: subjects.map((subject) => ({ ...subject, backend })), rows: upkeepRows(backend) };
}
