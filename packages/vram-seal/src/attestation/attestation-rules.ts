import { digestProblem, shardIdProblem } from "vram-text";
import { decodeBase64 } from "../encoding/base64.js";
import { type FieldProblem, type Rule, type Rules, integer, listOf, matching, nested, oneOf, orNull, record, recordProblem, text, timestamp } from "../encoding/record-rules.js";
import { instanceIdProblem } from "../input.js";
import { backend, driverVersion, expectation, gpuUuid, keyId, placement } from "../seal/statement-rules.js";
import type {
  AttestationPredicate,
  AttestationStatement,
  AttestedAuditHead,
  AttestedDevice,
  AttestedRule,
  AttestedShard,
  AttestedSoftware,
  AttestedSubject,
} from "./attestation-statement.js";
import { PREDICATE_TYPE, STATEMENT_TYPE } from "./attestation-statement.js";

export const NONCE_MIN_BYTES = 16;
export const NONCE_MAX_BYTES = 64;

const base64Of =
  (least: number, most: number): Rule =>
  (value) => {
    const length = typeof value === "string" ? decodeBase64(value)?.length : undefined;
    return length !== undefined && length >= least && length <= most ? undefined : `be canonical base64 of ${least} to ${most} bytes`;
  };

const DIGESTS: Rules<AttestedSubject["digest"]> = { "fsverity-sha256-4096": digestProblem, sha256: digestProblem };
const digests: Rule = (value) => {
  const problem = nested(recordProblem("digest", value, DIGESTS, "partial"));
  return problem ?? (Object.hasOwn(value as object, "fsverity-sha256-4096") ? undefined : "have the fs-verity digest");
};
const SUBJECT: Rules<AttestedSubject> = { name: shardIdProblem, digest: digests };
const DEVICE: Rules<AttestedDevice> = {
  uuid: gpuUuid,
  name: text,
  backend,
  driverVersion,
  ecc: oneOf(true, false, null),
  integrated: oneOf(true, false, null),
};
const SOFTWARE: Rules<AttestedSoftware> = { driverLibrary: digestProblem, addon: digestProblem, kernel: digestProblem };
const POLICY_RULE: Rules<AttestedRule> = {
  rule: matching(/^[a-z][a-z-]{0,63}$/, "be a rule's id"),
  verdict: oneOf("pass", "violated", "waived", "reported"),
};
const SHARD: Rules<AttestedShard> = {
  shardId: shardIdProblem,
  modelRef: orNull(text),
  vramBytes: integer(1),
  placement,
  expected: orNull(expectation),
  keyId,
  sealSequence: integer(0),
  sealedAt: timestamp,
  verifiedAt: timestamp,
  method: oneOf("vram-digest"),
};
const AUDIT_HEAD: Rules<AttestedAuditHead> = { origin: text, size: integer(0), root: base64Of(32, 32) };
const PREDICATE: Rules<AttestationPredicate> = {
  nonce: base64Of(NONCE_MIN_BYTES, NONCE_MAX_BYTES),
  requestedAt: timestamp,
  attestedAt: timestamp,
  workerId: text,
  instanceId: instanceIdProblem,
  device: record("device", DEVICE),
  software: record("software", SOFTWARE),
  policy: listOf(record("policy", POLICY_RULE)),
  shards: listOf(record("shards", SHARD)),
  auditHead: record("auditHead", AUDIT_HEAD),
  signingKey: oneOf("file", "pkcs11", "process"),
};
const STATEMENT: Rules<AttestationStatement> = {
  _type: oneOf(STATEMENT_TYPE),
  subject: listOf(record("subject", SUBJECT)),
  predicateType: oneOf(PREDICATE_TYPE),
  predicate: record("predicate", PREDICATE),
};

/** Says what is wrong with a parsed statement, or nothing. */
export function attestationProblem(value: unknown): FieldProblem | undefined {
  return recordProblem("statement", value, STATEMENT) ?? shardsProblem(value as AttestationStatement);
}

/** Subjects and shards are the same, once each and in one order, and were verified between request and signature. */
function shardsProblem({ subject, predicate: { shards, requestedAt, attestedAt } }: AttestationStatement): FieldProblem | undefined {
  const names = subject.map(({ name }) => name);
  const same = names.length === shards.length && shards.every(({ shardId }, index) => shardId === names[index]);
  if (!same || new Set(names).size !== names.length) return { field: "subject", expectation: "name each shard once" };
  // Times of one form are in the order of their text.
  const within = shards.every(({ verifiedAt }) => requestedAt <= verifiedAt && verifiedAt <= attestedAt);
  return within ? undefined : { field: "verifiedAt", expectation: "lie between requestedAt and attestedAt" };
}
