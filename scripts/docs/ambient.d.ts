// Names that a snippet of the documents may use without saying where they come from.
import type { KeyObject } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { AuditLog, Lease, OpenResidencyOptions, Residency, SealedShard, SealKey } from "vram-residency";

declare global {
  const residency: Residency;
  const options: OpenResidencyOptions;
  const shard: SealedShard;
  const shards: readonly SealedShard[];
  const seal: SealedShard["seal"];
  const lease: Lease;
  const log: AuditLog;
  const dir: string;
  const key: SealKey;
  const sealKey: SealKey;
  const instanceId: string;
  function readPin(): Promise<string>;

  /** An attestation, and what it is checked against. */
  const envelope: string;
  const publicKey: KeyObject;
  const nonce: Uint8Array;

  /** What came from elsewhere, and where an answer goes. */
  const received: string;
  const response: ServerResponse;
}
