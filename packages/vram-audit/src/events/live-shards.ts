import type { KnownEvent } from "./schema.js";

/** Follows a log's events and tells which shards were sealed and not deallocated. */
export class LiveShards {
  readonly #ids = new Set<string>();

  /** In the order they were sealed. */
  get ids(): readonly string[] {
    return Array.from(this.#ids);
  }

  follow({ type, data }: KnownEvent): void {
    if (type === "vram.shard.sealed") this.#ids.add(data.shardId);
    else if (type === "vram.shard.deallocated") this.#ids.delete(data.shardId);
    else if (type === "vram.audit.rotated") for (const id of data.liveShards) this.#ids.add(id);
    else if (type === "vram.audit.recovered") for (const id of data.liveShards) this.#ids.delete(id);
  }
}
