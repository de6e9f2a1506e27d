import { SealError } from "../seal-error.js";
import { type SecretAddon, secretAddon } from "../secret-addon.js";
import { deriveRootKey, importKey, randomKeyBytes } from "./key-derivation.js";
import { KeyObjectSealKey } from "./key-object-seal-key.js";
import { NativeSealKey } from "./native-seal-key.js";
import type { SealKey } from "./seal-key.js";

/**
 * Where a root key of this process lies. `secret`: in a page of `memfd_secret`, which nobody else can read, a debugger and a core
 * dump included. `locked`: in a page that is never swapped out, in no core dump, and wiped in a forked child. `unlocked`: in a
 * page that the system did not lock (`ulimit -l`). `key-object`: in a KeyObject of Node, since the addon of vram-seal is absent.
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
  const make = (...args: ConstructorParameters<typeof RootKey>): SealKey => new NativeSealKey(newRootKey(() => new RootKey(...args)));
  return {
    fromKey: (key) => make("key", key),
    fromSecret: (secret) => make("secret", secret),
    random: () => make("random"),
  };
}

/** The best place for root keys that this installation has. */
export function rootKeys(): RootKeys {
  const addon = secretAddon();
  return addon === undefined ? inKeyObjects : inPages(addon);
}

/** Where the root keys that are made in this process lie. @throws SealError `KEY_UNAVAILABLE` */
export function sealKeyMemory(): SealKeyMemory {
  const addon = secretAddon();
  if (addon === undefined) return "key-object";
  const key = newRootKey(() => new addon.RootKey("random"));
  const { memory } = key;
  key.close();
  return memory;
}

function newRootKey<T>(make: () => T): T {
  try {
    return make();
  } catch {
    throw new SealError("KEY_UNAVAILABLE", "the system has no memory for a seal key", { details: { reason: "no-memory" } });
  }
}
