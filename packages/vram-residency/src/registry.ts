import { randomBytes } from "node:crypto";
import type { Allocation } from "vram-cuda";
import type { Reservation } from "vram-policy";
import type { Seal, SealStatement } from "vram-seal";
import { invalidInput } from "./errors.js";
import type { HostDevice } from "./host-device.js";
import type { Pins } from "./pins.js";
import type { ScrubProgress } from "./scrubber.js";
import type { ShardLifecycle } from "./shard-lifecycle.js";
import type { SharedRun } from "./shared-run.js";
import type { BlockReader } from "./source/model-source.js";
import type { TensorView } from "./tensor-view.js";
import type { Verified } from "./verify.js";

/** Device memory that is held for a shard, from its allocation on. */
export interface HeldMemory {
  readonly shardId: string;
  readonly host: HostDevice;
  readonly allocation: Allocation;
  readonly reservation: Reservation;
}

/** A sealed shard in device memory. */
export interface LiveShard extends HeldMemory {
  readonly leadBytes: number;
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** Of the newest seal. */
  seal: Seal;
  statement: SealStatement;
  /** Whoever needs the memory to stay: a release waits for them. */
  readonly pins: Pins;
  /** Executions that run on it: a repair waits for them. */
  readonly leases: Pins;
  readonly lifecycle: ShardLifecycle;
  /** Whole verifications, shared by all who ask before one begins. */
  readonly verification: SharedRun<Verified>;
  /** The newest whole verification, and when it began by `performance.now()`; undefined once damage was found. */
  latest?: { readonly verified: Verified; readonly startedMs: number } | undefined;
  /** All of it was read from device memory and found good since then; UTC, RFC 3339. */
  verifiedAt: string;
  /** How far a scrub that runs has come with it. */
  scrub?: Omit<ScrubProgress, "shardId" | "totalBytes"> | undefined;
  /** Reads blocks of the source again, where that can be done. */
  readonly reread: BlockReader | undefined;
  /** Blocks that a repair wrote. */
  readonly repairedBlocks: Set<number>;
  /** Set by the first release; every later one waits for it. */
  released?: Promise<void>;
}

/** Which shard ids are taken, and which shards are sealed and live: the authority on liveness, never an address. */
export class ShardRegistry {
  readonly #claimed = new Set<string>();
  readonly #live = new Map<string, LiveShard>();
  /** Removed, and not yet free: who held one when it was removed may still verify it. */
  readonly #leaving = new Map<string, LiveShard>();

  /**
   * Takes a shard id, or makes up a random one.
   * @throws VramError `INVALID_INPUT` if the id is in use.
   */
  claim(shardId = `shard-${randomBytes(8).toString("hex")}`): string {
    if (this.#claimed.has(shardId)) throw invalidInput("shardId", "not be the id of a live shard");
    this.#claimed.add(shardId);
    return shardId;
  }

  add(shard: LiveShard): void {
    this.#live.set(shard.shardId, shard);
  }

  find(shardId: string): LiveShard | undefined {
    return this.#live.get(shardId);
  }

  all(): readonly LiveShard[] {
    return [...this.#live.values()];
  }

  /** Those that are live, and those that somebody may still hold. */
  allHeld(): readonly LiveShard[] {
    return [...this.#live.values(), ...this.#leaving.values()];
  }

  /** From here on nobody finds the shard; its id stays taken until `free`. */
  remove(shard: LiveShard): void {
    this.#leaving.set(shard.shardId, shard);
    this.#live.delete(shard.shardId);
  }

  free(shardId: string): void {
    this.#leaving.delete(shardId);
    this.#claimed.delete(shardId);
  }
}
