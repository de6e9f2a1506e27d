import { invalidInput } from "./errors.js";
import { readGiven } from "./given.js";
import { SealedSet } from "./sealed-set.js";
import type { VerifyTarget } from "./verify.js";

/** What `execute` takes: a shard, a seal that somebody presents, or a set. */
export type ExecuteTarget = VerifyTarget | SealedSet;

/** The shards and seals that are named, those of sets one by one. @throws VramError `INVALID_INPUT` for none */
export function targetsOf(shards: ExecuteTarget | readonly ExecuteTarget[]): readonly VerifyTarget[] {
  const targets = readGiven("shards", () => {
    const given = Array.isArray(shards) ? [...(shards as readonly ExecuteTarget[])] : [shards as ExecuteTarget];
    return given.flatMap((each): readonly VerifyTarget[] => (isSet(each) ? each.shards : [each]));
  });
  if (targets.length === 0) throw invalidInput("shards", "name at least one shard");
  return targets;
}

export function isSet(target: unknown): target is SealedSet {
  return readGiven("shards", () => target instanceof SealedSet);
}
