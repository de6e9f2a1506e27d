import type { View } from "vram-cuda";
import { invalidInput, toVramError } from "./errors.js";
import { ownFields, readGiven } from "./given.js";
import { parseViewOptions } from "./options/call-options.js";
import type { ViewOptions } from "./options/call-options.js";
import type { LiveShard } from "./registry.js";
import { alignmentOf, viewRange } from "./tensor-view.js";
import type { TensorView } from "./tensor-view.js";

/** A part of an image, in bytes from its start. */
export interface ByteRange {
  readonly offset: number;
  readonly byteLength: number;
}

/** One of the shards that an execution holds. */
export interface ShardLease {
  readonly shardId: string;
  readonly digest: string;
  /** By name, as the file's header lists them; an image whose format is not known is one opaque tensor named "". */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /**
   * What native code of this process reads the tensor by (`vram_view.h` of vram-cuda); nothing of it shows in JavaScript. It
   * can be acquired until the execution's function has settled.
   * @throws VramError `INVALID_INPUT` for a tensor or range that is not of this shard, an alignment that it does not have,
   * or a lease that has ended.
   */
  view(target: TensorView | ByteRange, options?: ViewOptions): View;
}

/** Holds verified shards for the length of one `execute`: they can be neither released nor changed through this package. */
export interface Lease {
  readonly shards: readonly ShardLease[];
  /**
   * The tensors of all shards by name.
   * @throws VramError `INVALID_INPUT` if two of the shards have a tensor of the same name; use `shards` then.
   */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** As `ShardLease.view`. @throws VramError `INVALID_INPUT` also for a byte range where there are several shards. */
  view(target: TensorView | ByteRange, options?: ViewOptions): View;
}

/** A lease and the end of it: from then on no view of it can be made or acquired. */
export interface OpenLease {
  readonly lease: Lease;
  end(): void;
}

export function openLease(live: readonly LiveShard[]): OpenLease {
  const ends: (() => void)[] = [];
  let open = true;
  const shards = Object.freeze(
    live.map((shard) =>
      leaseShard(shard, (view) => {
        if (!open) throw invalidInput("lease", "be used before the function it was given to has settled");
        const made = view();
        ends.push(() => {
          shard.allocation.endView(made);
        });
        return made;
      }),
    ),
  );
  let merged: ReadonlyMap<string, TensorView> | undefined;
  const lease: Lease = Object.freeze({
    shards,
    get tensors() {
      merged ??= mergeTensors(shards);
      return merged;
    },
    view: (target: TensorView | ByteRange, options?: ViewOptions) => ownerOf(shards, target).view(target, options),
  });
  return {
    lease,
    end: () => {
      open = false;
      for (const end of ends.splice(0)) end();
    },
  };
}

function leaseShard(shard: LiveShard, whileOpen: (view: () => View) => View): ShardLease {
  const { shardId, statement, tensors, leadBytes, allocation } = shard;
  return Object.freeze({
    shardId,
    digest: statement.digest,
    tensors: new Map(tensors),
    view: (target: TensorView | ByteRange, options?: ViewOptions) =>
      whileOpen(() => {
        const { minAlignment } = parseViewOptions(options);
        const range = isTensorOf(tensors, target) ? viewRange(target) : byteRange(target);
        const alignment = alignmentOf(leadBytes + range.byteOffset);
        if (alignment < minAlignment) throw invalidInput("options.minAlignment", `be at most ${alignment}, the alignment of what is viewed`);
        try {
          return allocation.view(range);
        } catch (error) {
          throw toVramError(error);
        }
      }),
  });
}

function isTensorOf(tensors: ReadonlyMap<string, TensorView>, target: TensorView | ByteRange): target is TensorView {
  return typeof target === "object" && (target as object | null) !== null && "name" in target && tensors.get(target.name) === target;
}

function byteRange(target: unknown): { byteOffset: number; byteLength: number } {
  const { offset, byteLength } = readGiven("target", () => Object(ownFields(target)) as Partial<ByteRange>);
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(byteLength) || offset === undefined || byteLength === undefined) {
    throw invalidInput("target", "be a tensor of this lease, or have an offset and a byteLength in bytes");
  }
  return { byteOffset: offset, byteLength };
}

function ownerOf(shards: readonly ShardLease[], target: TensorView | ByteRange): ShardLease {
  const owner = shards.find(({ tensors }) => isTensorOf(tensors, target));
  const [only] = shards;
  if (owner !== undefined) return owner;
  if (only !== undefined && shards.length === 1) return only;
  throw invalidInput("target", "be a tensor of this lease; a byte range is viewed through one of lease.shards");
}

function mergeTensors(shards: readonly ShardLease[]): ReadonlyMap<string, TensorView> {
  const merged = new Map<string, TensorView>();
  for (const { tensors } of shards) {
    for (const [name, tensor] of tensors) {
      if (merged.has(name)) throw invalidInput("lease.tensors", "be read from lease.shards where shards share a tensor name");
      merged.set(name, tensor);
    }
  }
  return merged;
}
