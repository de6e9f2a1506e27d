import type { SealedShard, ShardRecord } from "./shard.js";

/** What may be told about a set; no secret, no address. */
export interface SetRecord {
  readonly setId: string;
  readonly totalShards: number;
  readonly shards: readonly ShardRecord[];
}

/** A model of several files, sealed together. Made by `residency.sealSet`. */
export class SealedSet {
  readonly setId: string;
  /** By shard index. */
  readonly shards: readonly SealedShard[];

  /** @internal */
  constructor(setId: string, shards: readonly SealedShard[]) {
    this.setId = setId;
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

  toJSON(): SetRecord {
    return { setId: this.setId, totalShards: this.shards.length, shards: this.shards.map((shard) => shard.toJSON()) };
  }
}
