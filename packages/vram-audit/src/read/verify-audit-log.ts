import { z } from "zod";
import { fileUnavailable, invalidInput } from "../audit-error.js";
import { flag } from "../events/fields.js";
import type { AuditHead } from "../log/audit-log.js";
import { parseOptions, path } from "../log/options.js";
import { type Checkpoint, openCheckpoint } from "../note/checkpoint.js";
import { formatVerifierKey } from "../note/verifier-key.js";
import { LOG_FILE } from "../storage/file-names.js";
import { openLogReader } from "./log-reader.js";
import type { AuditProblem } from "./problem-list.js";
import { type ResolvedKey, resolveVerifierKey, type VerifierKeySource } from "./resolve-verifier-key.js";
import { type Scan, scanLog } from "./scan-log.js";

export interface VerifyAuditLogOptions {
  readonly dir: string;
  /** The log's public key from elsewhere: a C2SP verifier key line, or 32 bytes in base64. Without it the file `<dir>.pub` is believed. */
  readonly publicKey?: string;
  /** A signed checkpoint of this log kept elsewhere: shows lines that were cut together with the log's own checkpoints. */
  readonly checkpoint?: string;
  /**
   * Begin at `checkpoint`, at which the log was verified before: if the stored leaf hashes have its root, the lines before are not read again, and
   * what was done to them in the file since does not show.
   */
  readonly resume?: boolean;
}

export interface AnchoredPart {
  /** Lines that the checkpoint vouches for. */
  readonly size: number;
  /** Lines behind them: who can write the log could cut or rewrite these unseen. */
  readonly linesAfter: number;
}

export interface AuditVerification {
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** What is wrong; the first entry names the first bad line. */
  readonly problems: readonly AuditProblem[];
  /** Whole lines. */
  readonly events: number;
  readonly head: AuditHead;
  /** Lines that the last checkpoint vouches for. */
  readonly checkpointSize: number;
  /** Lines behind it: their order holds, but whoever can write the file could have rewritten them. */
  readonly linesAfterCheckpoint: number;
  /** What the checkpoint from elsewhere vouches for; null without one. */
  readonly anchored: AnchoredPart | null;
  /** Lines that were not verified again; 0 also when `resume` was asked for but the stored leaf hashes do not have the checkpoint's root. */
  readonly linesSkipped: number;
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
    const resolved = await resolveVerifierKey(dir, reader.log, publicKey);
    const anchor = checkpoint === undefined ? undefined : openAnchor(checkpoint, resolved);
    const anchors = anchor === undefined ? [] : [anchor];
    return report(await scanLog({ ...reader, key: resolved?.key, anchors, trusted: resume ? anchor : undefined }), resolved, anchor);
  } catch (error) {
    throw fileUnavailable(LOG_FILE, "read", error);
  } finally {
    await reader.close();
  }
}

function openAnchor(note: string, resolved: ResolvedKey | undefined): Checkpoint {
  const anchor = resolved && openCheckpoint(note, resolved.key);
  if (anchor === undefined) throw invalidInput("options.checkpoint", "be a checkpoint signed by the log's key");
  return anchor;
}

function report(scan: Scan, resolved: ResolvedKey | undefined, anchor: Checkpoint | undefined): AuditVerification {
  const { problems, tree, torn, session, roots, skipped } = scan;
  const events = tree.size;
  const covered = Math.min(roots.latestSize, events);
  if (resolved === undefined) problems.add(null, "no-key");
  if (torn) problems.add(events + 1, "torn");
  if ((session.closed && covered < events) || session.usedSession > covered) problems.add(covered + 1, "uncovered");
  const list = problems.list();
  return {
    ok: list.length === 0,
    problems: list,
    events,
    head: { origin: resolved?.key.name ?? "", size: events, root: tree.root().toString("base64") },
    checkpointSize: covered,
    linesAfterCheckpoint: events - covered,
    anchored: anchor === undefined ? null : { size: anchor.size, linesAfter: Math.max(0, events - anchor.size) },
    linesSkipped: skipped,
    closed: session.closed,
    publicKey: resolved === undefined ? null : formatVerifierKey(resolved.key),
    keyFrom: resolved?.keyFrom ?? null,
  };
}
