import { unavailable } from "../audit-error.js";
import { LIVE_SHARDS_MAX } from "../events/fields.js";
import type { AuditRecovered } from "../events/schema.js";
import type { Checkpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import { type ReadableFile, readLines } from "../read/read-lines.js";
import { type Scan, scanLog } from "../read/scan-log.js";
import { AppendFile, type WritableFile } from "../storage/append-file.js";
import { CHECKPOINT_FILE, LEAF_FILE, LOG_FILE } from "../storage/file-names.js";
import { leafHash } from "../tree/merkle-tree.js";
import { HASH_BYTES } from "../tree/sha256.js";
import type { LogFiles } from "./chain.js";

/** Leaf hashes in one write while they are rebuilt. */
const REBUILD_BATCH = 2048;

export interface RawFile extends ReadableFile, WritableFile {
  stat(): Promise<{ readonly size: number }>;
}

export interface RawFiles {
  readonly log: RawFile;
  readonly leaves: RawFile;
  readonly checkpoints: RawFile;
}

export interface Recovery {
  readonly files: LogFiles;
  readonly scan: Scan;
  /** What the next writer says about the end of the previous one; empty after a clean end. */
  readonly events: readonly AuditRecovered[];
}

/**
 * Reads a log that is to be continued, cuts what a crash left half-written, and tells what it found.
 * @param anchors checkpoints of the log that its anchors keep
 * @throws AuditError `AUDIT_UNAVAILABLE` with reason `damaged` for a log that a crash alone does not explain
 */
export async function recoverLog(raw: RawFiles, key: VerifierKey, anchors: readonly Checkpoint[]): Promise<Recovery> {
  const history = { file: raw.checkpoints, byteLength: (await raw.checkpoints.stat()).size };
  const logBytes = (await raw.log.stat()).size;
  const scan = await scanLog({ log: raw.log, logBytes, history, leaves: raw.leaves, key, anchors });
  assertUndamaged(scan);
  const { wholeBytes, tree, roots, storedLeaves } = scan;
  const files: LogFiles = {
    log: new AppendFile(LOG_FILE, raw.log, wholeBytes),
    leaves: new AppendFile(LEAF_FILE, raw.leaves, storedLeaves === tree.size ? tree.size * HASH_BYTES : 0),
    checkpoints: new AppendFile(CHECKPOINT_FILE, raw.checkpoints, roots.historyBytes),
  };
  await Promise.all([files.log.truncateToEnd(), files.leaves.truncateToEnd(), files.checkpoints.truncateToEnd()]);
  if (storedLeaves !== tree.size) await rebuildLeaves(raw.log, wholeBytes, files.leaves);
  return { files, scan, events: describe(scan, logBytes - wholeBytes) };
}

/** Before the first checkpoint a log holds no event of a caller, so nothing is lost by going on without one. */
function assertUndamaged({ problems, session }: Scan): void {
  const [problem] = problems.list().filter(({ reason }) => reason !== "no-checkpoint" || !session.ownOnly);
  if (problem === undefined) return;
  const { line, reason, message } = problem;
  const what = line === null ? message : `line ${line} ${message}`;
  throw unavailable("damaged", `the audit log is damaged: ${what}`, { line, problem: reason });
}

async function rebuildLeaves(log: ReadableFile, logBytes: number, leaves: AppendFile): Promise<void> {
  const batch: Buffer[] = [];
  for await (const { bytes } of readLines(log, logBytes)) {
    batch.push(leafHash(bytes));
    if (batch.length === REBUILD_BATCH) await leaves.append(Buffer.concat(batch.splice(0)));
  }
  await leaves.append(Buffer.concat(batch));
}

function describe({ session, tree, roots }: Scan, cutBytes: number): readonly AuditRecovered[] {
  const { liveShards } = session;
  // The closing line is the last but one thing a writer does; the checkpoint over it is the last.
  const uncleanEnd = tree.size > 0 && !(session.closed && roots.latestSize === tree.size);
  if (!uncleanEnd && cutBytes === 0 && liveShards.length === 0) return [];
  const events = Math.max(1, Math.ceil(liveShards.length / LIVE_SHARDS_MAX));
  return Array.from({ length: events }, (_, index) => ({
    type: "vram.audit.recovered",
    severity: "warning",
    data: { cutBytes: index === 0 ? cutBytes : 0, liveShards: liveShards.slice(index * LIVE_SHARDS_MAX, (index + 1) * LIVE_SHARDS_MAX), uncleanEnd },
  }));
}
