import { types } from "node:util";
import { refused } from "./seal-refusal.js";
import type { SealStatement } from "./seal-statement.js";
import type { VerifySealOptions } from "./verify-seal.js";
import { verifySeal } from "./verify-seal.js";

/**
 * Verifies the presented seals of a set, in any order: each by `verifySeal`, and that together they are one set, whole
 * (docs/spec/seal-v1.md, "Sets").
 *
 * @returns the statements by shard index, frozen
 * @throws SealError as `verifySeal`; `SEAL_VERIFICATION_FAILED` with `details.reason` "set" for a member that is missing, there
 * twice, or of another set
 */
export async function verifySealSet(seals: readonly unknown[], options: VerifySealOptions): Promise<readonly SealStatement[]> {
  if (!Array.isArray(seals) || types.isProxy(seals)) throw refused("shape", "the seals are not a list");
  const members: SealStatement[] = [];
  for (const seal of seals) members.push(await verifySeal(seal, options));
  members.sort((one, other) => (one.shardIndex ?? 0) - (other.shardIndex ?? 0));
  const [first] = members;
  if (first === undefined) throw refused("set", "there is no seal");
  const { setId, totalShards } = first;
  if (setId === null || totalShards === null) throw refused("set", "a seal is of no set");
  if (members.some((member) => member.setId !== setId || member.totalShards !== totalShards)) throw refused("set", "a seal is of another set");
  const indices = new Set(members.map(({ shardIndex }) => shardIndex));
  if (indices.size !== members.length) throw refused("set", "a member of the set is there twice");
  if (indices.size !== totalShards) throw refused("set", "a member of the set is missing");
  return Object.freeze(members);
}
