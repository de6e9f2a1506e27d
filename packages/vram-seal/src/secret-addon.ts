import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { SealError } from "./seal-error.js";

/** A root key in a page of its own (native/secret/secret_binding.cpp). It checks every argument again. */
export interface NativeRootKey {
  /** How the system keeps the page from others. Not after `close()`. */
  memory(): "secret" | "locked" | "unlocked";
  /** HMAC of `key-id`. Not after `close()`. */
  keyIdMac(): Uint8Array;
  /** Writes the 32 bytes of a MAC and answers true; undefined where it cannot, after `close()` for one. */
  mac(instanceId: string, message: Uint8Array, mac: Uint8Array): true | undefined;
  /** Whether a MAC is the message's, in a time that does not tell where they differ; undefined where it cannot tell. */
  verify(instanceId: string, message: Uint8Array, mac: Uint8Array): boolean | undefined;
  /** Wipes the key at once. */
  close(): void;
}

export interface SecretAddon {
  /** Of 32 key bytes, of a secret text or of nothing. Throws where the system has no memory or no random bytes. */
  readonly RootKey: new (from: "key" | "secret" | "random", source?: Uint8Array) => NativeRootKey;
}

const addonPath = fileURLToPath(new URL("../build/Release/vram_secret.node", import.meta.url));

let loaded: SecretAddon | undefined;

/**
 * The addon, or undefined where it is not installed.
 *
 * @throws SealError `KEY_UNAVAILABLE` with reason `addon` where it is there and does not load
 */
export function secretAddon(): SecretAddon | undefined {
  if (loaded === undefined && existsSync(addonPath)) loaded = load();
  return loaded;
}

function load(): SecretAddon {
  try {
    return createRequire(import.meta.url)(addonPath) as SecretAddon;
  } catch {
    throw new SealError("KEY_UNAVAILABLE", "the addon of vram-seal does not load here: build it for this system, or remove it and go without locked keys", {
      details: { reason: "addon" },
    });
  }
}
