import { z } from "zod";
import { fileUnavailable, invalidInput } from "../audit-error.js";
import type { AuditHead } from "../log/audit-log.js";
import { parseOptions, path } from "../log/options.js";
import { openCheckpoint } from "../note/checkpoint.js";
import { formatVerifierKey } from "../note/verifier-key.js";
import { LOG_NAME } from "../storage/file-names.js";
import { openLogReader } from "./log-reader.js";
import { type LogStart, readLogStart } from "./log-start.js";
import type { AuditProblem } from "./problem-list.js";
import { type ResolvedKey, resolveVerifierKey, type VerifierKeySource } from "./resolve-verifier-key.js";
import { type Scan, scanLog } from "./scan-log.js";

export interface VerifyAuditLogOptions {
  readonly dir: string;
  /** The log's public key from elsewhere: a C2SP verifier key line, or 32 bytes in base64. Without it the file `<dir>.pub` is believed. */
  readonly publicKey?: string;
  /** A signed checkpoint of this log kept elsewhere: shows lines that were cut together with the log's own checkpoints. */
  readonly checkpoint?: string;
}

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
  /** Whether the last line closes the log. */
  readonly closed: boolean;
  /** C2SP verifier key the log was checked with; null when there was none. */
  readonly publicKey: string | null;
  /** Where that key came from; one that the log itself names proves nothing against who can rewrite the log. */
  readonly keyFrom: VerifierKeySource | null;
}

const schema = z.strictObject(
  { dir: path, publicKey: z.string("be a string").optional(), checkpoint: z.string("be a string").optional() },
  "be an object with known options only",
);

/**
 * Checks a whole log, also one that is being written: every line, the chain, every checkpoint. Resolves for a damaged
 * log too.
 * @throws AuditError `INVALID_INPUT`, `AUDIT_UNAVAILABLE` when there is no readable log
 */
export async function verifyAuditLog(options: VerifyAuditLogOptions): Promise<AuditVerification> {
  const { dir, publicKey, checkpoint } = parseOptions(schema, options);
  const reader = await openLogReader(dir);
  try {
    const start = await readLogStart(reader.log);
    const resolved = await resolveVerifierKey(dir, start, publicKey);
    const anchor = checkpoint === undefined ? undefined : openAnchor(checkpoint, resolved);
    if (anchor !== undefined && anchor.size < start.tree.size) throw tooOld(start.tree.size);
    return report(await scanLog({ ...reader, start, key: resolved?.key, anchor }), start, resolved);
  } catch (error) {
    throw fileUnavailable(LOG_NAME, "read", error);
  } finally {
    await reader.close();
  }
}

function openAnchor(note: string, resolved: ResolvedKey | undefined) {
  const anchor = resolved && openCheckpoint(note, resolved.key);
  if (anchor === undefined) throw invalidInput("options.checkpoint", "be a checkpoint signed by the log's key");
  return anchor;
}

function tooOld(removed: number) {
  return invalidInput("options.checkpoint", "be over more lines than were removed from the log", { removed });
}

function report({ problems, tree, torn, segments, session, roots }: Scan, start: LogStart, resolved: ResolvedKey | undefined): AuditVerification {
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
    closed: session.closed,
    publicKey: resolved === undefined ? null : formatVerifierKey(resolved.key),
    keyFrom: resolved?.keyFrom ?? null,
  };
}
