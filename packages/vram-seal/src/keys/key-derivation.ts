import { createHmac, createSecretKey, hash, hkdfSync, type KeyObject, randomFillSync } from "node:crypto";

/** Length of the root key and of every key derived from it. */
export const KEY_BYTES = 32;
const SALT = "vram-seal/v1";
const KEY_ID_LABEL = "vram-seal/key-id/v1\0";
const KEY_ID_HEX_LENGTH = 16;

/** 32 random key bytes in memory of their own, so that wiping them leaves no copy in a shared slab. */
export function randomKeyBytes(): Buffer {
  return randomFillSync(Buffer.allocUnsafeSlow(KEY_BYTES));
}

/** Takes over 32 key bytes: they are wiped, and only the returned object holds the key. */
export function importKey(bytes: Uint8Array): KeyObject {
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Root key from a secret text: HKDF-SHA256, salt `vram-seal/v1`, info `root`. The bytes are wiped. */
export function deriveRootKey(secret: Uint8Array): KeyObject {
  return derive(importKey(secret), "root");
}

/** MAC key of one instance: HKDF-SHA256 of the root, salt `vram-seal/v1`, info `seal` 0x00 and the instance id's text. */
export function deriveMacKey(root: KeyObject, instanceId: string): KeyObject {
  return derive(root, `seal\0${instanceId}`);
}

/** First 8 bytes, in hex, of SHA-256(`vram-seal/key-id/v1` 0x00 HMAC(root, `key-id`)). */
export function deriveKeyId(root: KeyObject): string {
  return keyIdOf(createHmac("sha256", root).update("key-id").digest());
}

/** The key id, of the root key's HMAC of `key-id`. */
export function keyIdOf(mac: Uint8Array): string {
  return hash("sha256", Buffer.concat([Buffer.from(KEY_ID_LABEL), mac]), "hex").slice(0, KEY_ID_HEX_LENGTH);
}

function derive(key: KeyObject, info: string): KeyObject {
  return importKey(new Uint8Array(hkdfSync("sha256", key, SALT, info, KEY_BYTES)));
}
