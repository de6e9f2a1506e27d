import { inspect } from "node:util";
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
