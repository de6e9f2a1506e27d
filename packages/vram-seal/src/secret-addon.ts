import { AddonError, loadAddon } from "vram-addon";
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

let loaded: SecretAddon | undefined;

/**
 * The addon, or undefined where none is installed that is made for the platform and its C library.
 *
 * @throws SealError `KEY_UNAVAILABLE` with reason `addon` where it is there and does not load
 */
export function secretAddon(): SecretAddon | undefined {
  loaded ??= load();
  return loaded;
}

function load(): SecretAddon | undefined {
  try {
    const { exports } = loadAddon({ packageName: "vram-seal", packageFolder: new URL("../", import.meta.url), fileName: "vram_secret.node" });
    return exports as SecretAddon;
  } catch (error) {
    if (!(error instanceof AddonError)) throw error;
    if (error.failure !== "refused") return undefined;
    throw new SealError("KEY_UNAVAILABLE", `${error.message} Or remove it and go without locked keys.`, { details: { reason: "addon" } });
  }
}
