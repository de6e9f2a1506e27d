import { SealError } from "../seal-error.js";
import { type NativeRootKey, type SecretAddon, secretAddon } from "../secret-addon.js";
import { deriveRootKey, importKey, randomKeyBytes } from "./key-derivation.js";
import { KeyObjectSealKey } from "./key-object-seal-key.js";
import { NativeSealKey } from "./native-seal-key.js";
import type { SealKey } from "./seal-key.js";

/**
 * Where a root key of this process lies. `secret`: in a page of `memfd_secret`, which no read of the process's memory by others, no
 * core dump and no swap shows. `locked`: in a page that is never swapped out, in no core dump, and wiped in a forked child.
 * `unlocked`: in a page that the system did not lock (`ulimit -l`). `key-object`: in a KeyObject of Node, since the addon of vram-seal
 * is not installed.
 */
export type SealKeyMemory = "secret" | "locked" | "unlocked" | "key-object";

/** Makes root keys. What takes bytes takes them over: they are wiped. */
export interface RootKeys {
  readonly fromKey: (key: Uint8Array) => SealKey;
  /** HKDF-SHA256 of a secret text. */
  readonly fromSecret: (secret: Uint8Array) => SealKey;
  readonly random: () => SealKey;
}

/** For an installation without the addon. */
export const inKeyObjects: RootKeys = {
  fromKey: (key) => new KeyObjectSealKey(importKey(key)),
  fromSecret: (secret) => new KeyObjectSealKey(deriveRootKey(secret)),
  random: () => new KeyObjectSealKey(importKey(randomKeyBytes())),
};

export function inPages({ RootKey }: SecretAddon): RootKeys {
  const made = (from: "key" | "secret" | "random", source?: Uint8Array) => {
    try {
      return newRootKey(() => new RootKey(from, source));
    } finally {
      source?.fill(0);
    }
  };
  return {
    fromKey: (bytes) => lockedAsItLies(made("key", bytes)),
    // The text that the key is derived from stays where it came from.
    fromSecret: (secret) => new NativeSealKey(made("secret", secret), false),
    random: () => lockedAsItLies(made("random")),
  };
}

const lockedAsItLies = (key: NativeRootKey): SealKey => new NativeSealKey(key, key.memory() !== "unlocked");

/** The best place for root keys that this installation has. @throws SealError `KEY_UNAVAILABLE` where the addon does not load */
export function rootKeys(): RootKeys {
  const addon = secretAddon();
  return addon === undefined ? inKeyObjects : inPages(addon);
}

/** Where the root keys that are made in this process lie. @throws SealError `KEY_UNAVAILABLE`, also where the addon does not load */
export function sealKeyMemory(): SealKeyMemory {
  const addon = secretAddon();
  if (addon === undefined) return "key-object";
  const key = newRootKey(() => new addon.RootKey("random"));
  const memory = key.memory();
  key.close();
  return memory;
}

function newRootKey<T>(make: () => T): T {
  try {
    return make();
  } catch {
    throw new SealError("KEY_UNAVAILABLE", "the system has no memory or no random bytes for a seal key", { details: { reason: "no-memory" } });
  }
}
