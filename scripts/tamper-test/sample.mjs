// A log to change, and what a verifier says of it changed.
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAuditLog, verifyAuditLog } from "../../packages/vram-audit/dist/index.js";

const TOGETHER = 25;
/** Makes about eight segments, whatever the number of events. */
const SEGMENT_BYTES_PER_EVENT = 55;

/** `segments` are `{ name, lines }`. A line is its text with the newline. */
export async function writeSample(dir, events) {
  const log = await openAuditLog({ dir, rotate: { bytes: events * SEGMENT_BYTES_PER_EVENT } });
  const data = { digest: "ab".repeat(32), vramBytes: 4096, durationMs: 1 };
  for (let index = 0; index < events; index += TOGETHER) {
    const batch = Array.from({ length: Math.min(TOGETHER, events - index) }, (_, at) => `shard-${index + at}`);
    await Promise.all(batch.map((shardId) => log.append({ type: "vram.shard.verified", severity: "info", data: { shardId, ...data } })));
  }
  await log.close();
  const names = readdirSync(dir).filter((name) => name.endsWith(".jsonl"));
  return { dir, segments: names.sort().map((name) => ({ name, lines: linesIn(join(dir, name)) })) };
}

const linesIn = (path) => readFileSync(path, "utf8").split(/(?<=\n)/);

/** What is found first, "line reason", when the log's segments are replaced by those of the case. */
export async function checkCase({ dir, segments }, { changed }) {
  replaceFiles(dir, segments, changed);
  const { problems } = await verifyAuditLog({ dir });
  replaceFiles(dir, changed, segments);
  const [first] = problems;
  return first === undefined ? "nothing" : `${first.line} ${first.reason}`;
}

function replaceFiles(dir, from, to) {
  for (const segment of from) if (!to.includes(segment)) rmSync(join(dir, segment.name), { force: true });
  for (const segment of to) if (!from.includes(segment)) writeFileSync(join(dir, segment.name), segment.lines.join(""));
}
