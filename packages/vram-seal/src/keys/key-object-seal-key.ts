import { createHmac, type KeyObject } from "node:crypto";
import { assertBytes, assertInstanceId } from "../input.js";
import { deriveKeyId, deriveMacKey } from "./key-derivation.js";
import { keyClosed, NamedSealKey } from "./named-seal-key.js";

interface MacKey {
  readonly instanceId: string;
  readonly key: KeyObject;
}

/** A root key in a KeyObject, outside the JavaScript heap. Node wipes it when it is collected after `close()`. */
export class KeyObjectSealKey extends NamedSealKey {
  #root: KeyObject | undefined;
  /** A process has one instance id, so one derived key is kept. */
  #macKey: MacKey | undefined;

  constructor(root: KeyObject) {
    super(deriveKeyId(root), false);
    this.#root = root;
    Object.freeze(this);
  }

  mac(instanceId: string, message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      assertInstanceId(instanceId);
      assertBytes("message", message);
      resolve(createHmac("sha256", this.#macKeyOf(instanceId)).update(message).digest());
    });
  }

  close(): Promise<void> {
    this.#root = undefined;
    this.#macKey = undefined;
    return Promise.resolve();
  }

  #macKeyOf(instanceId: string): KeyObject {
    if (this.#root === undefined) throw keyClosed();
    if (this.#macKey?.instanceId !== instanceId) {
      this.#macKey = { instanceId, key: deriveMacKey(this.#root, instanceId) };
    }
    return this.#macKey.key;
  }
}
