/** A root key that authenticates seals and never shows itself. Owned: close it. */
export interface SealKey {
  /** Public name of the root key: 16 lowercase hexadecimal characters. */
  readonly keyId: string;
  /** Whether the key lies in memory locked against swapping and dumping, or in a token that never gives it out. */
  readonly locked: boolean;
  /**
   * HMAC-SHA256 under the MAC key of one process instance (docs/spec/seal-v1.md, "Keys").
   *
   * @throws SealError `KEY_UNAVAILABLE` after `close()`; `INVALID_INPUT`
   */
  mac(instanceId: string, message: Uint8Array): Promise<Uint8Array>;
  /**
   * Whether a MAC is that of the message, in a time that does not tell where they differ.
   *
   * @throws SealError as `mac`
   */
  verify(instanceId: string, message: Uint8Array, mac: Uint8Array): Promise<boolean>;
  /** Drops the key. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
