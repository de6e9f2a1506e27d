import { isDeepStrictEqual } from "node:util";
import type { SealKey } from "vram-seal";
import { VramError } from "../errors.js";
import type { Residency } from "../residency.js";
import type { SealedShard } from "../shard.js";
import type { HoldConfig, SealKeyConfig } from "./config.js";
import { openSealKey } from "./open-parts.js";

/** What only a new process can take over. */
const FIXED = ["workerId", "audit", "devices", "policy", "limits", "serve"] as const satisfies readonly (keyof HoldConfig)[];

/** @throws VramError `INVALID_CONFIG` naming every field that has changed and must not */
export function assertReloadable(current: HoldConfig, next: HoldConfig): void {
  const changed = FIXED.filter((field) => !isDeepStrictEqual(current[field], next[field])).map((field) => `config.${field}`);
  if (changed.length === 0) return;
  throw new VramError("INVALID_CONFIG", `${changed.join(", ")} must be as before: restart the service to change it`, { details: { fields: changed } });
}

/** The configured key, if it is not the one that signs. @throws SealError `INVALID_INPUT`, `KEY_UNAVAILABLE` */
export async function openOtherKey(current: SealKeyConfig, next: SealKeyConfig, signingId: string): Promise<SealKey | undefined> {
  if (next.ephemeral === true && current.ephemeral === true) return undefined;
  const key = await openSealKey(next);
  if (key.keyId !== signingId) return key;
  await key.close();
  return undefined;
}

export interface Rotation {
  /** The public name of the key that signs until now. */
  readonly from: string;
  readonly shards: readonly SealedShard[];
  readonly signal: AbortSignal;
}

/**
 * Lets another key sign: every shard is verified and sealed anew with it, and the key before it retired.
 * @throws VramError as `rotateSealKey`, with nothing changed; as `reseal` and `retireSealKey`
 */
export async function rotateTo(residency: Residency, key: SealKey, { from, shards, signal }: Rotation): Promise<void> {
  try {
    await residency.rotateSealKey(key);
  } catch (error) {
    await key.close();
    throw error;
  }
  for (const shard of shards) await residency.reseal(shard, { signal });
  await residency.retireSealKey(from);
}
