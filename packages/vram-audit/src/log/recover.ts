import { unavailable } from "../audit-error.js";
import { LIVE_SHARDS_MAX } from "../events/fields.js";
import type { AuditRecovered } from "../events/schema.js";
import type { Checkpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import { type LogSegments, readLogLines } from "../read/log-lines.js";
import type { LogStart } from "../read/log-start.js";
import { describeProblem } from "../read/problem-list.js";
import { type Scan, scanLog } from "../read/scan-log.js";
import { AppendFile } from "../storage/append-file.js";
import { CHECKPOINT_FILE, LEAF_FILE, segmentName } from "../storage/file-names.js";
import type { Reserve } from "../storage/reserve.js";
import { SegmentTally } from "../storage/segment-tally.js";
import { leafHash } from "../tree/merkle-tree.js";
import { HASH_BYTES } from "../tree/sha256.js";
import type { LogFiles } from "./chain.js";
import { chunksOf } from "./chunks.js";
import type { LogDirectory, RawFile } from "./log-directory.js";
import type { ReleaseStack } from "./release-stack.js";
import { removeDurably, Segments } from "./segments.js";

/** Leaf hashes in one write while they are rebuilt. */
const REBUILD_BATCH = 2048;

/** A log that is to be continued, before it is judged. */
export interface FoundLog {
  readonly directory: LogDirectory;
  readonly log: LogSegments;
  readonly start: LogStart;
  readonly leaves: RawFile;
  readonly checkpoints: RawFile;
  readonly reserve: Reserve;
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
 * @param stack gets what is opened
 * @throws AuditError `AUDIT_UNAVAILABLE` with reason `damaged` for a log that a crash alone does not explain
 */
export async function recoverLog(found: FoundLog, key: VerifierKey, anchors: readonly Checkpoint[], stack: ReleaseStack): Promise<Recovery> {
  const { log, start, leaves, checkpoints, reserve } = found;
  const history = { file: checkpoints, byteLength: (await checkpoints.stat()).size };
  const scan = await scanLog({ log, start, history, leaves, key, anchors, removed: start.tree.size });
  assertUndamaged(scan);
  const checkpointFile = new AppendFile(CHECKPOINT_FILE, checkpoints, scan.roots.historyBytes);
  await checkpointFile.truncateToEnd();
  const leafFile = await continueLeaves(found, scan);
  const segments = await continueSegments(found, scan, stack);
  const cutBytes = log.lastBytes - (segments.name === log.segments.at(-1)?.name ? segments.tally.bytes : 0);
  return { files: { segments, leaves: leafFile, checkpoints: checkpointFile, reserve }, scan, events: describe(scan, cutBytes) };
}

/** Before the first checkpoint a log holds no event of a caller, so nothing is lost by going on without one. */
function assertUndamaged({ problems, segments, session }: Scan): void {
  const [problem] = problems.list((line) => segments.nameOf(line)).filter(({ reason }) => reason !== "no-checkpoint" || !session.ownOnly);
  if (problem === undefined) return;
  const { line, segment, reason } = problem;
  throw unavailable("damaged", `the audit log is damaged: ${describeProblem(problem)}`, { line, segment, problem: reason });
}

/** The leaf hashes of removed lines stay as they are. */
async function continueLeaves({ log, start, leaves }: FoundLog, { tree, storedLeaves }: Scan): Promise<AppendFile> {
  const complete = storedLeaves === tree.size;
  const file = new AppendFile(LEAF_FILE, leaves, (complete ? tree : start.tree).size * HASH_BYTES);
  await file.truncateToEnd();
  if (complete) return file;
  const batch: Buffer[] = [];
  let left = tree.size - start.tree.size;
  for await (const { bytes } of readLogLines(log)) {
    if (left === 0) break;
    left -= 1;
    batch.push(leafHash(bytes));
    if (batch.length === REBUILD_BATCH) await file.append(Buffer.concat(batch.splice(0)));
  }
  await file.append(Buffer.concat(batch));
  return file;
}

/** Goes on in the last segment with a whole line: a crash in a rotation leaves one without. */
async function continueSegments({ directory, log }: FoundLog, scan: Scan, stack: ReleaseStack): Promise<Segments> {
  const current = scan.segments.current ?? { name: segmentName(1), tally: new SegmentTally(1, Date.now()) };
  const raw = await directory.openFile(current.name);
  const segments = new Segments(directory, scan.segments.closed, current, raw);
  stack.add(() => segments.close());
  await segments.truncateToEnd();
  const at = log.segments.findIndex(({ name }) => name === current.name);
  for (const { name } of log.segments.slice(at + 1)) await removeDurably(directory, name);
  return segments;
}

function describe({ session, tree, roots }: Scan, cutBytes: number): readonly AuditRecovered[] {
  const liveShards = session.live.ids;
  // The closing line is the last but one thing a writer does; the checkpoint over it is the last.
  const uncleanEnd = tree.size > 0 && !(session.closed && roots.latestSize === tree.size);
  if (!uncleanEnd && cutBytes === 0 && liveShards.length === 0) return [];
  return chunksOf(liveShards, LIVE_SHARDS_MAX).map((part, index) => ({
    type: "vram.audit.recovered",
    severity: "warning",
    data: { cutBytes: index === 0 ? cutBytes : 0, liveShards: part, uncleanEnd },
  }));
}
