import { assertBytes, assertInstanceId } from "../input.js";
import { MAC_BYTES } from "../seal/seal-mac.js";
import { SealError } from "../seal-error.js";
import type { NativeRootKey } from "../secret-addon.js";
import { keyIdOf } from "./key-derivation.js";
import { keyClosed, NamedSealKey } from "./named-seal-key.js";

/** A root key in a page of memory of its own, where every MAC is computed. `close()` wipes it. */
export class NativeSealKey extends NamedSealKey {
  #key: NativeRootKey | undefined;
  /** The addon writes here: a new array's memory would have to leave the JavaScript heap for it each time. */
  readonly #mac = new Uint8Array(MAC_BYTES);

  constructor(key: NativeRootKey, locked: boolean) {
    super(keyIdOf(key.keyIdMac()), locked);
    this.#key = key;
    Object.freeze(this);
  }

  mac(instanceId: string, message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      assertInstanceId(instanceId);
      assertBytes("message", message);
      if (this.#open().mac(instanceId, message, this.#mac) === undefined) throw noAnswer();
      resolve(this.#mac.slice());
    });
  }

  override verify(instanceId: string, message: Uint8Array, mac: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      assertInstanceId(instanceId);
      assertBytes("message", message);
      assertBytes("mac", mac);
      const verdict = mac.length === MAC_BYTES ? this.#open().verify(instanceId, message, mac) : false;
      if (verdict === undefined) throw noAnswer();
      resolve(verdict);
    });
  }

  close(): Promise<void> {
    this.#key?.close();
    this.#key = undefined;
    return Promise.resolve();
  }

  #open(): NativeRootKey {
    if (this.#key === undefined) throw keyClosed();
    return this.#key;
  }
}

const noAnswer = (): SealError => new SealError("KEY_UNAVAILABLE", "the addon of vram-seal gave no answer", { details: { reason: "addon" } });
