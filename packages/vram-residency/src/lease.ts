import { invalidInput } from "./errors.js";
import type { LiveShard } from "./registry.js";

/** One tensor inside a sealed image. `byteOffset` and `byteLength` in bytes from the start of the image. */
export interface TensorView {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Largest power of two, up to 256, that divides the tensor's place in device memory. */
  readonly alignment: number;
}

/** One of the shards that an execution holds. */
export interface ShardLease {
  readonly shardId: string;
  readonly digest: string;
  readonly tensors: ReadonlyMap<string, TensorView>;
}

/** Holds verified shards for the length of one `execute`: they can be neither released nor changed through this package. */
export interface Lease {
  readonly shards: readonly ShardLease[];
  /**
   * The tensors of all shards by name. An image whose header is not read is one opaque tensor named "".
   * @throws VramError `INVALID_INPUT` if two of the shards have a tensor of the same name; use `shards` then.
   */
  readonly tensors: ReadonlyMap<string, TensorView>;
}

/** Device memory is mapped at multiples of its granularity, so an image starts on any boundary up to this. */
const IMAGE_ALIGNMENT = 256;

export function createLease(live: readonly LiveShard[]): Lease {
  const shards = Object.freeze(live.map(leaseShard));
  return Object.freeze({
    shards,
    get tensors() {
      return mergeTensors(shards);
    },
  });
}

function leaseShard({ shardId, statement }: LiveShard): ShardLease {
  const image: TensorView = Object.freeze({
    name: "",
    dtype: "U8",
    shape: Object.freeze([statement.vramBytes]),
    byteOffset: 0,
    byteLength: statement.vramBytes,
    alignment: IMAGE_ALIGNMENT,
  });
  return Object.freeze({ shardId, digest: statement.digest, tensors: new Map([[image.name, image]]) });
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
