// A log of some length, with the limits that a log has by default.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { openAuditLog } from "../../packages/vram-audit/dist/index.js";

const TOGETHER = 1024;
/** One event in this many is not of the kind that every execution writes. */
const OTHER_EVERY = 16;

/** Closed, of at least so many bytes; `checkpoint` is of about half of the lines. */
export async function writeLog(dir, leastBytes) {
  const checkpoints = [];
  const keeper = { name: "keeper", keep: async ({ note }) => checkpoints.push(note) };
  const startMs = performance.now();
  const log = await openAuditLog({ dir, anchors: [keeper] });
  for (let index = 0; bytesOf(segmentsOf(dir)) < leastBytes; index += TOGETHER) {
    await Promise.all(Array.from({ length: TOGETHER }, (_, at) => log.append(event(index + at))));
  }
  await log.close();
  const seconds = (performance.now() - startMs) / 1e3;
  const segments = segmentsOf(dir);
  return { bytes: bytesOf(segments), segments: segments.length, seconds, checkpoint: checkpoints[checkpoints.length >> 1] };
}

const segmentsOf = (dir) => readdirSync(dir).filter((name) => name.endsWith(".jsonl")).map((name) => join(dir, name));
const bytesOf = (segments) => segments.reduce((sum, segment) => sum + statSync(segment).size, 0);

function event(index) {
  const data = { shardId: `shard-${index}`, vramBytes: 65_536 };
  return index % OTHER_EVERY === 0
    ? { type: "vram.shard.deallocated", severity: "info", data: { ...data, allocatedBytes: 2_097_152, wiped: true, lost: false, cause: "released" } }
    : { type: "vram.shard.verified", severity: "info", data: { ...data, digest: "ab".repeat(32), durationMs: 1.5 } };
}
