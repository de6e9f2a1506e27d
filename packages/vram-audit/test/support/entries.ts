import { draftLine, GENESIS, parseLine, placeLine } from "../../src/events/line.js";
import type { KnownEvent } from "../../src/events/schema.js";
import type { AuditEntry } from "../../src/index.js";
import { deallocated, DIGEST, EVENTS } from "./events.js";

const SEGMENT = { first: 1, last: 2, bytes: 800, sha256: DIGEST };
const MOMENT = { time: new Date("2026-01-02T03:04:05.678Z"), elapsedMs: 1234 };

/** One event of every type that a line can hold, and some that differ in what an export makes of them. */
export const LINE_EVENTS: readonly KnownEvent[] = [
  { type: "vram.audit.opened", severity: "info", data: { publicKey: `${"A".repeat(43)}=`, origin: "example.org/audit", keyName: "example.org/audit" } },
  { type: "vram.audit.recovered", severity: "warning", data: { cutBytes: 7, liveShards: ["shard-8"], uncleanEnd: true } },
  ...EVENTS,
  deallocated("shard-1", { wiped: false }),
  {
    type: "vram.seal.verification_failed",
    severity: "critical",
    data: { shardId: null, reason: "mac", expectedDigest: null, actualDigest: DIGEST, rules: [] },
  },
  { type: "vram.worker.stopped", severity: "info", data: { workerId: "w", instanceId: "cd".repeat(16), state: "closed", code: null } },
  { type: "vram.audit.rotated", severity: "info", data: { publicKey: `${"A".repeat(43)}=`, origin: "example.org/audit", closed: SEGMENT, subtrees: [DIGEST], liveShards: ["shard-8"] } },
  { type: "vram.audit.retired", severity: "info", data: { segments: [SEGMENT], root: DIGEST } },
  { type: "vram.audit.anchor_failed", severity: "warning", data: { anchor: "directory", code: "ENOSPC", keptSize: 7 } },
  { type: "vram.audit.anchor_restored", severity: "info", data: { anchor: "directory", keptSize: 9 } },
  { type: "vram.audit.closed", severity: "info", data: {} },
];

export function entryOf(event: KnownEvent, sequence = 1): AuditEntry {
  return readEntry(placeLine(draftLine(event, "example.org/audit", MOMENT), sequence, GENESIS));
}

export const ENTRIES: readonly AuditEntry[] = LINE_EVENTS.map((event, index) => entryOf(event, index + 1));

/** A line that a later version wrote, with data that no rule of this one judged. */
export const NEWER_ENTRY = readEntry(
  Buffer.from(
    `{"specversion":"1.0","id":"1","source":"urn:vram:worker:w","type":"vram.shard.migrated","subject":"shard-0","time":"2026-01-02T03:04:05.678Z","elapsedms":"1234",` +
      `"severity":"warning","sequence":"0000000000000002","prevhash":"${DIGEST}","data":{"any":[1.5,null,{"b":true}]}}`,
  ),
);

function readEntry(bytes: Buffer): AuditEntry {
  const { fault, envelope, event } = parseLine(bytes);
  if (fault !== undefined) throw new Error(`the line has the fault ${fault}`);
  return { line: bytes.toString("utf8"), envelope, event };
}
