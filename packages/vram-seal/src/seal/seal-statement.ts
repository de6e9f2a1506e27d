/** The DSSE payload type a seal's MAC is bound to. */
export const SEAL_TYPE = "application/vnd.vram-seal.v1+json";

/** The name of the digest in a statement: fs-verity with SHA-256 and blocks of 4,096 bytes. */
export const SEAL_DIGEST_ALGORITHM = "fsverity-sha256-4096";

/** Where the bytes lie, as the driver tells. Ids are decimal strings. */
export interface SealPlacement {
  readonly bufferId: string;
  readonly blockId: string;
  /** `read-write` only where the policy waives the read-only mapping. */
  readonly access: "read" | "read-write";
}

/** What the caller asked the loaded bytes to be; at least one of these. Digests are 64 lowercase hexadecimal characters. */
export interface SealExpectation {
  readonly fsverity?: string;
  readonly sha256?: string;
  readonly identity?: string;
}

/** What a seal vouches for (docs/spec/seal-v1.md, "Statement"). Every field is present and covered by the MAC. */
export interface SealStatement {
  readonly v: 1;
  readonly shardId: string;
  readonly modelRef: string | null;
  /** Bytes of the sealed image. */
  readonly vramBytes: number;
  /** The fs-verity file digest of the bytes in VRAM. */
  readonly digest: string;
  readonly digestAlgorithm: typeof SEAL_DIGEST_ALGORITHM;
  readonly gpuDevice: number;
  readonly gpuUuid: string;
  readonly backend: "cuda" | "simulator" | "custom";
  readonly driverVersion: string;
  /** SHA-256 of the digest kernel's PTX. */
  readonly kernel: string;
  readonly placement: SealPlacement;
  /** Null: integrity from the load on, not approval of what was loaded. */
  readonly expected: SealExpectation | null;
  readonly workerId: string;
  /** 128 random bits of the sealing process, 32 lowercase hexadecimal characters. */
  readonly instanceId: string;
  readonly sealSequence: number;
  readonly keyId: string;
  readonly keyLocked: boolean;
  /** UTC, RFC 3339 with milliseconds. */
  readonly sealedAt: string;
  readonly setId: string | null;
  readonly shardIndex: number | null;
  readonly totalShards: number | null;
}

/** A statement and its MAC, both canonical base64. Public. */
export interface Seal {
  readonly statement: string;
  readonly mac: string;
}
