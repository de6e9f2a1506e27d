// Names that a snippet of the documents may use without saying where they come from.
import type { ServerResponse } from "node:http";
import type { AuditLog, Lease, OpenResidencyOptions, Residency, SealedShard, SealKey } from "vram-residency";

declare global {
  const residency: Residency;
  const shard: SealedShard;
  const shards: readonly SealedShard[];
  const seal: SealedShard["seal"];
  const lease: Lease;
  const log: AuditLog;
  const key: SealKey;
  const options: OpenResidencyOptions;
  const dir: string;
  const response: ServerResponse;
  function readPin(): Promise<string>;
}
