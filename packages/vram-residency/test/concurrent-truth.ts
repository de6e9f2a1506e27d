import type { AuditEvent, RepairRefused, SealVerificationFailed, VramRepaired } from "vram-audit";
import type { SealedShard } from "../src/index.js";

export const BLOCK_BYTES = 4096;

/** A bit of sealed memory that was flipped and that nothing has put right since. */
export interface Flip {
  readonly block: number;
  /** `unknown`: a repair failed after it may have written. */
  state: "open" | "repaired" | "unknown";
}

/** What is known of a shard beside what the worker says of it. */
export interface TrackedShard {
  readonly handle: SealedShard;
  /** Its file; undefined for a model that was given as bytes. */
  readonly path: string | undefined;
  readonly flips: Flip[];
  /** Its file is not what was sealed any more. */
  isSpoiled: boolean;
  isClosing: boolean;
  /** Between a failed verification that told of damage and what came of it. */
  underRepair: { readonly flips: readonly Flip[]; readonly wasSpoiled: boolean } | undefined;
}

export const openFlips = ({ flips }: TrackedShard): Flip[] => flips.filter(({ state }) => state === "open");

export interface TruthOptions {
  readonly allowRepair: boolean;
  /** Driver calls were made to fail: what meets them is not known. */
  readonly hasFaults: boolean;
}

/** Follows the events of one worker as it writes them, and tells what it got wrong. */
export class Truth {
  readonly shards = new Map<string, TrackedShard>();
  readonly problems: string[] = [];
  /** Something that must stop the worker has happened. */
  mustStop = false;
  /** Memory that could not be wiped and freed. */
  kept = 0;
  readonly #options: TruthOptions;

  constructor(options: TruthOptions) {
    this.#options = options;
  }

  tell(problem: string): void {
    this.problems.push(problem);
  }

  see({ type, data }: AuditEvent): void {
    if (type === "vram.seal.verification_failed") this.#failed(data);
    if (type === "vram.shard.repaired") this.#repaired(data);
    if (type === "vram.shard.repair_refused") this.#refused(data);
    if (type === "vram.shard.deallocated" && !data.wiped) this.kept += 1;
  }

  #failed({ shardId, reason, damage }: SealVerificationFailed["data"]): void {
    const { allowRepair, hasFaults } = this.#options;
    const shard = this.shards.get(shardId ?? "");
    const blocks = new Set(damage?.blocks.map(({ index }) => index));
    if (!hasFaults && reason !== "digest") this.tell(`a verification failed for no reason that there is: ${reason}`);
    if (!hasFaults && blocks.size === 0) this.tell("damage was not located");
    if (!allowRepair || reason !== "digest") this.mustStop = true;
    if (shard === undefined) return;
    const damaged = shard.flips.filter(({ block, state }) => state !== "repaired" && blocks.has(block));
    if (new Set(damaged.map(({ block }) => block)).size < blocks.size) this.tell("a whole block was called damaged");
    if (allowRepair && reason === "digest") shard.underRepair = { flips: damaged, wasSpoiled: shard.isSpoiled };
  }

  #repaired({ shardId, blocks }: VramRepaired["data"]): void {
    const shard = this.shards.get(shardId);
    if (shard?.underRepair === undefined) {
      this.tell("what was not damaged was repaired");
      return;
    }
    const { flips, wasSpoiled } = shard.underRepair;
    if (wasSpoiled) this.tell("a shard was repaired from a changed source");
    if (new Set(flips.map(({ block }) => block)).size !== blocks) this.tell("other blocks were repaired than were damaged");
    for (const flip of flips) flip.state = "repaired";
    shard.underRepair = undefined;
  }

  #refused({ shardId, reason }: RepairRefused["data"]): void {
    this.mustStop = true;
    const shard = this.shards.get(shardId);
    if (shard === undefined) return;
    if (reason === "source" && !shard.isSpoiled && shard.path !== undefined) this.tell("a good source was refused");
    if ((reason === "driver" || reason === "damage" || reason === "in_use") && !this.#options.hasFaults) this.tell(`a repair was refused: ${reason}`);
    if (reason === "driver" || reason === "digest") for (const flip of shard.underRepair?.flips ?? []) flip.state = "unknown";
    shard.underRepair = undefined;
  }
}
