import { z } from "zod";
import { fileUnavailable, invalidInput } from "../audit-error.js";
import { flag } from "../events/fields.js";
import type { AuditHead } from "../log/audit-log.js";
import { parseOptions, path } from "../log/options.js";
import { type Checkpoint, openCheckpoint } from "../note/checkpoint.js";
import { formatVerifierKey } from "../note/verifier-key.js";
import { LOG_NAME } from "../storage/file-names.js";
import type { ClockStep } from "./clock-check.js";
import type { LogSegments } from "./log-lines.js";
import { openLogReader } from "./log-reader.js";
import { type LogStart, readLogStart } from "./log-start.js";
import type { AuditProblem } from "./problem-list.js";
import { type ResolvedKey, resolveVerifierKey, type VerifierKeySource } from "./resolve-verifier-key.js";
import { type Scan, scanLog } from "./scan-log.js";

/** Which log to verify, and against what. */
export interface VerifyAuditLogOptions {
  readonly dir: string;
  /** The log's public key from elsewhere: a C2SP verifier key line, or 32 bytes in base64. Without it the file `<dir>.pub` is believed. */
  readonly publicKey?: string;
  /** A signed checkpoint of this log kept elsewhere: shows lines that were cut together with the log's own checkpoints. */
  readonly checkpoint?: string;
  /**
   * Begin at the segment with the last line of `checkpoint`, at which the log was verified before. What was done to earlier segments
   * since does not show.
   */
  readonly resume?: boolean;
}

/** How far a checkpoint from elsewhere vouches for a log. */
export interface AnchoredPart {
  /** Lines that the checkpoint vouches for. */
  readonly size: number;
  /** Lines behind them: who can write the log could cut or rewrite these unseen. */
  readonly linesAfter: number;
}

/** What a verification found. */
export interface AuditVerification {
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** What is wrong; the first entry names the first bad line. */
  readonly problems: readonly AuditProblem[];
  /** Whole lines that are there. */
  readonly events: number;
  /** Lines before them, removed by retention; signed records say so unless there is a problem `removed`. */
  readonly removed: number;
  readonly head: AuditHead;
  /** Lines that the last checkpoint vouches for, the removed ones included. */
  readonly checkpointSize: number;
  /** Lines behind it: their order holds, but whoever can write the file could have rewritten them. */
  readonly linesAfterCheckpoint: number;
  /** What the checkpoint from elsewhere vouches for; null without one. */
  readonly anchored: AnchoredPart | null;
  /** Lines that are there and were not verified again. */
  readonly linesSkipped: number;
  /** Where the writer's clock was set by more than a second within a session, the first 16: a notice, no problem. */
  readonly clockSteps: readonly ClockStep[];
  /** Whether the last line closes the log. */
  readonly closed: boolean;
  /** C2SP verifier key the log was checked with; null when there was none. */
  readonly publicKey: string | null;
  /** Where that key came from; one that the log itself names proves nothing against who can rewrite the log. */
  readonly keyFrom: VerifierKeySource | null;
}

const schema = z.strictObject(
  { dir: path, publicKey: z.string("be a string").optional(), checkpoint: z.string("be a string").optional(), resume: flag.default(false) },
  "be an object with known options only",
);

/**
 * Checks a log, also one that is being written: every line, unless it resumes, the chain, every checkpoint. Resolves for a
 * damaged log too.
 * @throws AuditError `INVALID_INPUT`, `AUDIT_UNAVAILABLE` when there is no readable log
 */
export async function verifyAuditLog(options: VerifyAuditLogOptions): Promise<AuditVerification> {
  const { dir, publicKey, checkpoint, resume } = parseOptions(schema, options);
  if (resume && checkpoint === undefined) throw invalidInput("options.checkpoint", "be given to resume from");
  const reader = await openLogReader(dir);
  try {
    const start = await readLogStart(reader.log);
    const resolved = await resolveVerifierKey(dir, start, publicKey);
    const anchor = checkpoint === undefined ? undefined : openAnchor(checkpoint, resolved);
    if (anchor !== undefined && anchor.size < start.tree.size) throw tooOld(start.tree.size);
    const part = resume && anchor !== undefined ? await partFrom(reader.log, anchor.size) : { log: reader.log, start };
    const skipped = part.start.tree.size - start.tree.size;
    const anchors = anchor === undefined ? [] : [anchor];
    const scan = await scanLog({ ...reader, ...part, key: resolved?.key, anchors, removed: skipped === 0 ? start.tree.size : 0 });
    return report({ scan, start, resolved, anchor, skipped });
  } catch (error) {
    throw fileUnavailable(LOG_NAME, "read", error);
  } finally {
    await reader.close();
  }
}

/** The log from the segment with a line on. What its first line says of the lines before is proven by a checkpoint of that line, or a later one. */
async function partFrom(whole: LogSegments, line: number): Promise<{ log: LogSegments; start: LogStart }> {
  const at = Math.max(0, whole.segments.findLastIndex(({ first }) => first <= line));
  const log = { ...whole, segments: whole.segments.slice(at) };
  return { log, start: await readLogStart(log) };
}

function openAnchor(note: string, resolved: ResolvedKey | undefined): Checkpoint {
  const anchor = resolved && openCheckpoint(note, resolved.key);
  if (anchor === undefined) throw invalidInput("options.checkpoint", "be a checkpoint signed by the log's key");
  return anchor;
}

function tooOld(removed: number) {
  return invalidInput("options.checkpoint", "be over more lines than were removed from the log", { removed });
}

interface Verified {
  readonly scan: Scan;
  readonly start: LogStart;
  readonly resolved: ResolvedKey | undefined;
  readonly anchor: Checkpoint | undefined;
  readonly skipped: number;
}

function report({ scan, start, resolved, anchor, skipped }: Verified): AuditVerification {
  const { problems, tree, torn, segments, session, clock, roots } = scan;
  const { size } = tree;
  const covered = Math.min(roots.latestSize, size);
  if (resolved === undefined) problems.add(null, "no-key");
  if (torn) problems.add(size + 1, "torn");
  if ((session.closed && covered < size) || session.usedSession > covered) problems.add(covered + 1, "uncovered");
  const list = problems.list((line) => segments.nameOf(line));
  return {
    ok: list.length === 0,
    problems: list,
    events: size - start.tree.size,
    removed: start.tree.size,
    head: { origin: resolved?.key.name ?? "", size, root: tree.root().toString("base64") },
    checkpointSize: covered,
    linesAfterCheckpoint: size - covered,
    anchored: anchor === undefined ? null : { size: anchor.size, linesAfter: Math.max(0, size - anchor.size) },
    linesSkipped: skipped,
    clockSteps: clock.steps,
    closed: session.closed,
    publicKey: resolved === undefined ? null : formatVerifierKey(resolved.key),
    keyFrom: resolved?.keyFrom ?? null,
  };
}
