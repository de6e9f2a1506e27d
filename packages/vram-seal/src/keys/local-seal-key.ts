import { createHmac, type KeyObject } from "node:crypto";
import { inspect } from "node:util";
import { assertBytes, assertInstanceId } from "../input.js";
import { SealError } from "../seal-error.js";
import { deriveKeyId, deriveMacKey } from "./key-derivation.js";
import type { SealKey } from "./seal-key.js";

interface MacKey {
  readonly instanceId: string;
  readonly key: KeyObject;
}

/** A root key in this process's memory, outside the JavaScript heap. Node wipes it when it is collected after `close()`. */
export class LocalSealKey implements SealKey {
  readonly keyId: string;
  readonly locked = false;
  #root: KeyObject | undefined;
  /** A process has one instance id, so one derived key is kept. */
  #macKey: MacKey | undefined;

  constructor(root: KeyObject) {
    this.#root = root;
    this.keyId = deriveKeyId(root);
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  toJSON(): { readonly keyId: string; readonly locked: boolean } {
    return { keyId: this.keyId, locked: this.locked };
  }

  [inspect.custom](): string {
    return `SealKey { keyId: '${this.keyId}', locked: ${this.locked} }`;
  }

  #macKeyOf(instanceId: string): KeyObject {
    if (this.#root === undefined) {
      throw new SealError("KEY_UNAVAILABLE", "the seal key is closed", { details: { reason: "closed" } });
    }
    if (this.#macKey?.instanceId !== instanceId) {
      this.#macKey = { instanceId, key: deriveMacKey(this.#root, instanceId) };
    }
    return this.#macKey.key;
  }
}
