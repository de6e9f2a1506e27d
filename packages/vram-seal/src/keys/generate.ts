import { randomFillSync } from "node:crypto";
import { importKey, KEY_BYTES } from "./key-derivation.js";
import { LocalSealKey } from "./local-seal-key.js";
import type { SealKey } from "./seal-key.js";

/** 32 random key bytes in memory of their own, so that wiping them leaves no copy in a shared slab. */
export function randomKeyBytes(): Buffer {
  return randomFillSync(Buffer.allocUnsafeSlow(KEY_BYTES));
}

/** A new random root key that lives as long as this process: its seals cannot be verified by any other. */
export function generate(): Promise<SealKey> {
  return Promise.resolve(new LocalSealKey(importKey(randomKeyBytes())));
}
