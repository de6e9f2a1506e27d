import { inspect } from "node:util";
import { assertBytes } from "../input.js";
import { equalMacs } from "../seal/seal-mac.js";
import { SealError } from "../seal-error.js";
import type { SealKey } from "./seal-key.js";

/** What a seal key says of itself, whatever shows it: its public name, and whether it is locked. */
export abstract class NamedSealKey implements SealKey {
  readonly keyId: string;
  readonly locked: boolean;

  constructor(keyId: string, locked: boolean) {
    this.keyId = keyId;
    this.locked = locked;
  }

  abstract mac(instanceId: string, message: Uint8Array): Promise<Uint8Array>;
  abstract close(): Promise<void>;

  async verify(instanceId: string, message: Uint8Array, mac: Uint8Array): Promise<boolean> {
    assertBytes("mac", mac);
    return equalMacs(await this.mac(instanceId, message), mac);
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
}

export const keyClosed = (): SealError => new SealError("KEY_UNAVAILABLE", "the seal key is closed", { details: { reason: "closed" } });
