import type { SealExpectation, SealPlacement, SealStatement } from "../seal/seal-statement.js";

/** The DSSE payload type that a signature is bound to. */
export const ATTESTATION_TYPE = "application/vnd.in-toto+json";
/** An Ed25519 signature. */
export const SIGNATURE_BYTES = 64;
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const PREDICATE_TYPE = "urn:vram-residency:attestation:v1";

/** Where the signing key came from. A key of the process vouches for no more than that one process signed. */
export type AttestationKeyOrigin = "file" | "pkcs11" | "process";

/** A shard, by its digests: 64 lowercase hexadecimal characters each. */
export interface AttestedSubject {
  readonly name: string;
  readonly digest: { readonly "fsverity-sha256-4096": string; readonly sha256?: string };
}

/** The device that the shards lie on. */
export interface AttestedDevice {
  readonly uuid: string;
  readonly name: string;
  readonly backend: SealStatement["backend"];
  readonly driverVersion: string;
  /** Null could not be read. */
  readonly ecc: boolean | null;
  readonly integrated: boolean | null;
}

/** SHA-256 of what ran, 64 lowercase hexadecimal characters each. */
export interface AttestedSoftware {
  readonly driverLibrary: string;
  readonly addon: string;
  readonly kernel: string;
}

/** The verdict on a rule of the policy. */
export interface AttestedRule {
  readonly rule: string;
  readonly verdict: "pass" | "violated" | "waived" | "reported";
}

/** A shard that was just verified. */
export interface AttestedShard {
  readonly shardId: string;
  readonly modelRef: string | null;
  readonly vramBytes: number;
  readonly placement: SealPlacement;
  readonly expected: SealExpectation | null;
  readonly keyId: string;
  readonly sealSequence: number;
  readonly sealedAt: string;
  readonly verifiedAt: string;
  /** How it was verified: its digest was computed from device memory, where it lies. */
  readonly method: "vram-digest";
}

/** The head of the audit trail: what a checkpoint would vouch for. `root` in base64. */
export interface AttestedAuditHead {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

/** What an attestation says besides the digests (docs/spec/attestation-v1.md). Times are RFC 3339. */
export interface AttestationPredicate {
  /** The verifier's, base64 of 16 to 64 bytes. */
  readonly nonce: string;
  /** When the nonce became known; every shard was verified after that and before `attestedAt`. */
  readonly requestedAt: string;
  readonly attestedAt: string;
  readonly workerId: string;
  readonly instanceId: string;
  readonly device: AttestedDevice;
  readonly software: AttestedSoftware;
  readonly policy: readonly AttestedRule[];
  readonly shards: readonly AttestedShard[];
  readonly auditHead: AttestedAuditHead;
  readonly signingKey: AttestationKeyOrigin;
}

/** An in-toto Statement v1 (docs/spec/attestation-v1.md). Times in UTC, RFC 3339 with milliseconds. */
export interface AttestationStatement {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly AttestedSubject[];
  readonly predicateType: typeof PREDICATE_TYPE;
  readonly predicate: AttestationPredicate;
}
