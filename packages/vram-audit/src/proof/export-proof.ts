import { z } from "zod";
import { fileUnavailable, integrityViolation, invalidInput, unavailable } from "../audit-error.js";
import { count } from "../events/fields.js";
import { parseOptions, path } from "../log/options.js";
import type { SignedCheckpoint } from "../note/checkpoint.js";
import { readLatestCheckpoint } from "../read/checkpoint-history.js";
import { readLogLines } from "../read/log-lines.js";
import { type LogReader, openLogReader } from "../read/log-reader.js";
import { readLogStart } from "../read/log-start.js";
import { readLeaves } from "../read/read-leaves.js";
import { resolveVerifierKey } from "../read/resolve-verifier-key.js";
import { LEAF_FILE, LOG_NAME } from "../storage/file-names.js";
import { leafHash } from "../tree/merkle-tree.js";
import { type Proof, proveConsistency, proveInclusion } from "../tree/prove.js";
import { verifyInclusion } from "../tree/verify.js";
import { formatProof } from "./proof-text.js";

interface ExportProofOptions {
  readonly dir: string;
  /** The log's public key from elsewhere, as for `verifyAuditLog`. */
  readonly publicKey?: string;
}

/** Which line is shown to be in the log. */
export interface ExportInclusionProofOptions extends ExportProofOptions {
  /** The number of the line to prove, from 1. */
  readonly sequence: number;
}

/** Which older checkpoint the log is shown to continue. */
export interface ExportConsistencyProofOptions extends ExportProofOptions {
  /** Lines of the older checkpoint, from 1. */
  readonly fromSize: number;
}

const position = count.min(1, "be an integer from 1");
const common = { dir: path, publicKey: z.string("be a string").optional() };
const inclusionSchema = z.strictObject({ ...common, sequence: position }, "be an object with known options only");
const consistencySchema = z.strictObject({ ...common, fromSize: position }, "be an object with known options only");

/**
 * A proof that a line is in the log, under the log's last checkpoint: a C2SP tlog-proof with the line as its `extra` data. Reads the leaf hashes
 * and the lines up to this one, in bounded memory.
 * @throws AuditError `INVALID_INPUT`, also for a line that no checkpoint vouches for; `AUDIT_UNAVAILABLE` when there is no readable log or
 * checkpoint; `INTEGRITY_VIOLATION` when the line or the leaf hashes are not what was signed
 */
export async function exportInclusionProof(options: ExportInclusionProofOptions): Promise<string> {
  const { dir, publicKey, sequence } = parseOptions(inclusionSchema, options);
  return withSignedLog(dir, publicKey, async (reader, head) => {
    if (sequence > head.size) throw invalidInput("options.sequence", "be the number of a line under the log's last checkpoint");
    const index = sequence - 1;
    const { hashes } = signed(head, await proveInclusion(storedLeaves(reader, head), index, head.size));
    const line = await readLine(reader, sequence);
    verifyInclusion(leafHash(line), index, head, hashes);
    return formatProof({ kind: "inclusion", index, line, hashes, note: head.note });
  });
}

/**
 * A proof that the log, as its last checkpoint has it, continues the one of an older checkpoint: what C2SP tlog-witness has as the body of an
 * add-checkpoint request.
 * @throws AuditError as {@link exportInclusionProof} does
 */
export async function exportConsistencyProof(options: ExportConsistencyProofOptions): Promise<string> {
  const { dir, publicKey, fromSize } = parseOptions(consistencySchema, options);
  return withSignedLog(dir, publicKey, async (reader, head) => {
    if (fromSize > head.size) throw invalidInput("options.fromSize", "be at most the size of the log's last checkpoint");
    const { hashes } = signed(head, await proveConsistency(storedLeaves(reader, head), fromSize, head.size));
    return formatProof({ kind: "consistency", oldSize: fromSize, hashes, note: head.note });
  });
}

async function withSignedLog(
  dir: string,
  publicKey: string | undefined,
  prove: (reader: LogReader, head: SignedCheckpoint) => Promise<string>,
): Promise<string> {
  const reader = await openLogReader(dir);
  try {
    const resolved = await resolveVerifierKey(dir, await readLogStart(reader.log), publicKey);
    const head = await readLatestCheckpoint(reader.history, resolved?.key);
    if (head === undefined) throw unavailable("no-checkpoint", "no checkpoint vouches for the log");
    return await prove(reader, head);
  } catch (error) {
    throw fileUnavailable(LOG_NAME, "read", error);
  } finally {
    await reader.close();
  }
}

function storedLeaves({ leaves }: LogReader, { size }: SignedCheckpoint): AsyncIterable<Buffer> {
  if (leaves === undefined) throw unavailable("missing", `the file "${LEAF_FILE}" is missing`, { file: LEAF_FILE });
  return readLeaves(leaves, 0, size);
}

/** A proof that was made from the leaf hashes that were signed. */
function signed(head: SignedCheckpoint, proof: Proof): Proof {
  if (proof.size === head.size && proof.root.equals(head.root)) return proof;
  throw integrityViolation("leaves", `the leaf hashes in "${LEAF_FILE}" are not those that were signed`, { file: LEAF_FILE });
}

async function readLine({ log }: LogReader, sequence: number): Promise<Buffer> {
  const segment = log.segments.findLast(({ first }) => first <= sequence);
  if (segment === undefined) throw invalidInput("options.sequence", "be the number of a line that was not removed");
  let number = segment.first - 1;
  for await (const { bytes, complete } of readLogLines(log, { first: segment.first, position: 0 })) {
    number += 1;
    if (number === sequence && complete) return bytes;
  }
  throw integrityViolation("truncated", `line ${sequence} of the audit log is missing`, { line: sequence });
}
