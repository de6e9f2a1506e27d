import { type KeyObject, timingSafeEqual, verify } from "node:crypto";
import { types } from "node:util";
import { decodeBase64 } from "../encoding/base64.js";
import { parseCanonical } from "../encoding/canonical-json.js";
import { preAuthEncoding } from "../encoding/pre-auth-encoding.js";
import type { Rules } from "../encoding/record-rules.js";
import { matching, oneOf, recordProblem } from "../encoding/record-rules.js";
import { assertBytes } from "../input.js";
import { publicKeyId, readPublicKey } from "../keys/public-key.js";
import { invalidInput, SealError } from "../seal-error.js";
import type { SealStatement } from "../seal/seal-statement.js";
import { NONCE_MAX_BYTES, NONCE_MIN_BYTES, attestationProblem } from "./attestation-rules.js";
import type { AttestationPredicate, AttestationStatement } from "./attestation-statement.js";
import { ATTESTATION_TYPE, SIGNATURE_BYTES } from "./attestation-statement.js";

/** Longest envelope, in bytes: some ten thousand shards. */
const ENVELOPE_MAX_BYTES = 16 * 1024 * 1024;
const DEFAULT_MAX_AGE_MS = 5 * 60_000;
/** How far ahead of the verifier's clock an attestation may be dated. */
const CLOCK_TOLERANCE_MS = 5_000;

/** The step that refused an attestation. */
export type AttestationRefusal =
  | "shape"
  | "key"
  | "signature"
  | "statement"
  | "nonce"
  | "age"
  | "process-key"
  | "backend"
  | "policy";

/** What an attestation is checked against. */
export interface VerifyAttestationOptions {
  /** The signer's public key, known from elsewhere: Ed25519, a KeyObject or SubjectPublicKeyInfo in PEM. */
  readonly publicKey: KeyObject | string;
  /** What the verifier gave to the worker, 16 to 64 bytes. */
  readonly nonce: Uint8Array;
  /** How old the oldest verification in it may be; default five minutes. */
  readonly maxAgeMs?: number;
  /** Now, in milliseconds since 1970; default the system's clock. */
  readonly nowMs?: number;
  /** Accepts a key that the attested process made for itself. Default false. */
  readonly allowProcessKey?: boolean;
  /** Which backends may hold the shards. Default: cuda alone. */
  readonly allowBackends?: readonly SealStatement["backend"][];
}

interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

const ENVELOPE: Rules<Envelope> = {
  payload: (value) => (typeof value === "string" ? undefined : "be text"),
  payloadType: oneOf(ATTESTATION_TYPE),
  signatures: (value) => (Array.isArray(value) && value.length === 1 ? undefined : "be one signature"),
};
const SIGNATURE: Rules<Envelope["signatures"][number]> = {
  keyid: matching(/^[0-9a-f]{64}$/, "be a key id"),
  sig: (value) => (typeof value === "string" ? undefined : "be text"),
};

/**
 * Verifies an attestation, untrusted text, in the order of docs/spec/attestation-v1.md: shape, key, signature over the bytes
 * as received, statement, nonce, age, origin of the key, backend, policy. Needs neither a GPU nor the worker.
 *
 * @returns the statement
 * @throws SealError `SEAL_VERIFICATION_FAILED` with `details.reason`, an `AttestationRefusal`; `INVALID_INPUT` for an option
 */
export function verifyAttestation(envelope: string | Uint8Array, options: VerifyAttestationOptions): AttestationStatement {
  const publicKey = readPublicKey(options.publicKey, "an Ed25519", ({ asymmetricKeyType }) => asymmetricKeyType === "ed25519");
  const check = readChecks(options);
  const { payload, keyid, sig } = readEnvelope(envelope);
  if (keyid !== publicKeyId(publicKey)) throw refused("key", "the attestation is signed by another key than the given one");
  if (!verify(null, preAuthEncoding(ATTESTATION_TYPE, payload), publicKey, sig)) throw refused("signature", "the attestation's signature is wrong");
  const value = parseCanonical(payload);
  const problem = value === undefined ? { field: "statement", expectation: "be canonical JSON (RFC 8785)" } : attestationProblem(value);
  if (problem !== undefined) throw refused("statement", `the attestation's statement is malformed: ${problem.field} must ${problem.expectation}`);
  const statement = value as AttestationStatement;
  check(statement.predicate);
  return statement;
}

function readEnvelope(given: string | Uint8Array): { readonly payload: Uint8Array; readonly keyid: string; readonly sig: Uint8Array } {
  if (typeof given !== "string" && !types.isUint8Array(given)) throw invalidInput("envelope", "be text or its bytes");
  const bytes = given.length <= ENVELOPE_MAX_BYTES ? Buffer.from(given as Uint8Array) : undefined;
  const envelope = bytes && parseCanonical(bytes);
  const malformed = refused("shape", "the attestation is not a DSSE envelope in canonical JSON");
  if (recordProblem("envelope", envelope, ENVELOPE) !== undefined) throw malformed;
  const { payload, signatures } = envelope as Envelope;
  const [signature] = signatures;
  if (signature === undefined || recordProblem("signature", signature, SIGNATURE) !== undefined) throw malformed;
  const [decoded, sig] = [decodeBase64(payload), decodeBase64(signature.sig)];
  if (decoded === undefined || sig?.length !== SIGNATURE_BYTES) throw malformed;
  return { payload: decoded, keyid: signature.keyid, sig };
}

/** Judges the options at once, and answers what judges a signed predicate by them. */
function readChecks(options: VerifyAttestationOptions): (predicate: AttestationPredicate) => void {
  const { nonce, maxAgeMs = DEFAULT_MAX_AGE_MS, nowMs = Date.now(), allowBackends = ["cuda"] } = options;
  const allowProcessKey: unknown = options.allowProcessKey ?? false;
  assertBytes("nonce", nonce);
  if (nonce.length < NONCE_MIN_BYTES || nonce.length > NONCE_MAX_BYTES) throw invalidInput("nonce", `have ${NONCE_MIN_BYTES} to ${NONCE_MAX_BYTES} bytes`);
  if (!Number.isFinite(maxAgeMs) || maxAgeMs < 0) throw invalidInput("maxAgeMs", "be a number of milliseconds, 0 or more");
  if (!Number.isFinite(nowMs)) throw invalidInput("nowMs", "be a time in milliseconds");
  if (typeof allowProcessKey !== "boolean") throw invalidInput("allowProcessKey", "be a boolean");
  return ({ nonce: signed, requestedAt, attestedAt, signingKey, device, policy }) => {
    const answered = Buffer.from(signed, "base64");
    if (answered.length !== nonce.length || !timingSafeEqual(answered, nonce)) throw refused("nonce", "the attestation answers another nonce");
    if (nowMs - Date.parse(requestedAt) > maxAgeMs) throw refused("age", "the attestation is older than allowed");
    if (Date.parse(attestedAt) - nowMs > CLOCK_TOLERANCE_MS) throw refused("age", "the attestation is dated in the future");
    if (signingKey === "process" && !allowProcessKey) throw refused("process-key", "the attested process made the signing key itself");
    if (!allowBackends.includes(device.backend)) throw refused("backend", `the backend ${device.backend} is not allowed`);
    if (policy.some(({ verdict }) => verdict === "violated")) throw refused("policy", "a policy rule is violated");
  };
}

function refused(reason: AttestationRefusal, message: string): SealError {
  return new SealError("SEAL_VERIFICATION_FAILED", message, { details: { reason } });
}
