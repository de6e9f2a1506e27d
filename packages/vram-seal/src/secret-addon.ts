import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** A root key in a page of its own (native/secret/secret_binding.cpp). It checks every argument again. */
export interface NativeRootKey {
  /** How the system keeps the page from others. Not after `close()`. */
  readonly memory: "secret" | "locked" | "unlocked";
  /** HMAC of `key-id`. Not after `close()`. */
  keyIdMac(): Uint8Array;
  /** Writes the 32 bytes of a MAC; false where it cannot. */
  mac(instanceId: string, message: Uint8Array, mac: Uint8Array): boolean;
  /** Whether a MAC is the message's, in a time that does not tell where they differ. */
  verify(instanceId: string, message: Uint8Array, mac: Uint8Array): boolean;
  /** Wipes the key at once. */
  close(): void;
}

export interface SecretAddon {
  /** Takes over the source, which is wiped: 32 key bytes, or a secret text of which the key is derived. Throws where there is no memory. */
  readonly RootKey: new (from: "key" | "secret" | "random", source?: Uint8Array) => NativeRootKey;
}

const addonPath = fileURLToPath(new URL("../build/Release/vram_secret.node", import.meta.url));

let loaded: { readonly addon: SecretAddon | undefined } | undefined;

/** The addon where it is installed and loads. */
export function secretAddon(): SecretAddon | undefined {
  loaded ??= { addon: load() };
  return loaded.addon;
}

function load(): SecretAddon | undefined {
  try {
    return createRequire(import.meta.url)(addonPath) as SecretAddon;
  } catch {
    return undefined;
  }
}
