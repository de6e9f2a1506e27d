import { assertBytes, assertInstanceId } from "../input.js";
import { MAC_BYTES } from "../seal/seal-mac.js";
import type { NativeRootKey } from "../secret-addon.js";
import { keyIdOf } from "./key-derivation.js";
import { keyClosed, NamedSealKey } from "./named-seal-key.js";

/** A root key in a page of memory of its own, where every MAC is computed. `close()` wipes it. */
export class NativeSealKey extends NamedSealKey {
  #key: NativeRootKey | undefined;
  /** The addon writes here: a new array's memory would have to leave the JavaScript heap for it each time. */
  readonly #mac = new Uint8Array(MAC_BYTES);

  constructor(key: NativeRootKey) {
    super(keyIdOf(key.keyIdMac()), key.memory !== "unlocked");
    this.#key = key;
    Object.freeze(this);
  }

  mac(instanceId: string, message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      assertInstanceId(instanceId);
      assertBytes("message", message);
      if (this.#key?.mac(instanceId, message, this.#mac) !== true) throw keyClosed();
      resolve(this.#mac.slice());
    });
  }

  override verify(instanceId: string, message: Uint8Array, mac: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      assertInstanceId(instanceId);
      assertBytes("message", message);
      assertBytes("mac", mac);
      if (this.#key === undefined) throw keyClosed();
      resolve(this.#key.verify(instanceId, message, mac));
    });
  }

  close(): Promise<void> {
    this.#key?.close();
    this.#key = undefined;
    return Promise.resolve();
  }
}
