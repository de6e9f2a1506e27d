import { setDigest } from "vram-seal";
import type { SealedShard, ShardRecord } from "./shard.js";

/** What may be told about a set; no secret, no address. */
export interface SetRecord {
  readonly setId: string;
  readonly totalShards: number;
  readonly digest: string;
  readonly shards: readonly ShardRecord[];
}

/** A model of several files, sealed together. Made by `residency.sealSet`. */
export class SealedSet {
  readonly setId: string;
  /** Over the digests of all shards (docs/spec/seal-v1.md, "Set digest"), 64 lowercase hexadecimal characters. */
  readonly digest: string;
  /** By shard index. */
  readonly shards: readonly SealedShard[];

  /** @internal */
  constructor(setId: string, shards: readonly SealedShard[]) {
    this.setId = setId;
    this.digest = setDigest(shards.map(({ digest }) => digest));
    this.shards = Object.freeze([...shards]);
  }

  /** True until a member, or the residency, is closed. */
  get sealed(): boolean {
    return this.shards.every(({ sealed }) => sealed);
  }

  /** Closes every member, as `SealedShard.close` does. */
  async close(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Plain facts of the set and its shards. */
  toJSON(): SetRecord {
    const { setId, digest, shards } = this;
    return { setId, totalShards: shards.length, digest, shards: shards.map((shard) => shard.toJSON()) };
  }
}
