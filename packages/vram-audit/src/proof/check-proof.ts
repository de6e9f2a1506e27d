import { z } from "zod";
import { integrityViolation, invalidInput } from "../audit-error.js";
import { parseLine } from "../events/line.js";
import { formatSequence } from "../events/sequence.js";
import { parseOptions } from "../log/options.js";
import { type Checkpoint, openCheckpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import { parseGivenKey } from "../read/resolve-verifier-key.js";
import { leafHash } from "../tree/merkle-tree.js";
import { verifyConsistency, verifyInclusion } from "../tree/verify.js";
import { type ConsistencyProof, type InclusionProof, parseProof } from "./proof-text.js";

/** A proof, and what it is checked against. */
export interface CheckAuditProofOptions {
  /** What `exportInclusionProof` or `exportConsistencyProof` gave. */
  readonly proof: string;
  /** The log's public key from elsewhere: a C2SP verifier key line, or 32 bytes in base64. */
  readonly publicKey: string;
  /** The older signed checkpoint; needed for a proof of consistency, and only there. */
  readonly checkpoint?: string;
}

interface ProvenHead {
  readonly origin: string;
  /** Lines of the log when the proof was made. */
  readonly size: number;
  /** Their RFC 6962 root, base64. */
  readonly root: string;
}

/** The log has this line. */
export interface ProvenLine extends ProvenHead {
  readonly kind: "inclusion";
  readonly sequence: number;
  /** The line, one JSON object. */
  readonly line: string;
}

/** The log continues the one of the older checkpoint. */
export interface ProvenHistory extends ProvenHead {
  readonly kind: "consistency";
  /** Lines of the older checkpoint. */
  readonly oldSize: number;
}

const schema = z.strictObject(
  { proof: z.string("be a string"), publicKey: z.string("be a string"), checkpoint: z.string("be a string").optional() },
  "be an object with known options only",
);

/**
 * Checks a proof of a log; needs nothing of the log but its public key. Answers what is proven.
 * @throws AuditError `INVALID_INPUT` for what is no proof, key or checkpoint; `INTEGRITY_VIOLATION` when it does not prove what it says
 */
export function checkAuditProof(options: CheckAuditProofOptions): ProvenLine | ProvenHistory {
  const { proof: text, publicKey, checkpoint } = parseOptions(schema, options);
  const proof = parseProof(text);
  if (proof === undefined) throw invalidInput("options.proof", "be a proof of inclusion or consistency");
  const [origin] = proof.note.split("\n", 1);
  const key = parseGivenKey(publicKey, origin);
  const head = openOwnCheckpoint(proof.note, key);
  if (key === undefined || head === undefined) throw integrityViolation("checkpoint", "the proof's checkpoint is not signed by the log's key");
  if (proof.kind === "inclusion") {
    if (checkpoint !== undefined) throw invalidInput("options.checkpoint", "be left out for a proof of inclusion");
    return provenLine(proof, head);
  }
  const old = openOwnCheckpoint(checkpoint ?? "", key);
  if (old === undefined) throw invalidInput("options.checkpoint", "be the older checkpoint, signed by the log's key, for a proof of consistency");
  return provenHistory(proof, old, head);
}

function openOwnCheckpoint(note: string, key: VerifierKey | undefined): Checkpoint | undefined {
  const checkpoint = key && openCheckpoint(note, key);
  return checkpoint?.origin === key?.name ? checkpoint : undefined;
}

function provenLine({ index, line, hashes }: InclusionProof, head: Checkpoint): ProvenLine {
  verifyInclusion(leafHash(line), index, head, hashes);
  const sequence = index + 1;
  const { envelope } = parseLine(line);
  if (envelope?.sequence !== formatSequence(sequence)) throw integrityViolation("line", "the signed line is not one of an audit log at its place");
  return { kind: "inclusion", sequence, line: line.toString("utf8"), ...described(head) };
}

function provenHistory({ oldSize, hashes }: ConsistencyProof, old: Checkpoint, head: Checkpoint): ProvenHistory {
  if (oldSize !== old.size) throw invalidInput("options.checkpoint", "be of the size that the proof begins with");
  verifyConsistency(old, head, hashes);
  return { kind: "consistency", oldSize, ...described(head) };
}

function described({ origin, size, root }: Checkpoint): ProvenHead {
  return { origin, size, root: root.toString("base64") };
}
