import type { SealKey } from "vram-seal";
import { types } from "node:util";
import { VramError, invalidInput } from "./errors.js";

const PROBE = Buffer.from("vram-residency: does this key verify what it signs?");
const MAC_BYTES = 32;

/** A key that says of itself, for good, what it said when it was handed over. */
export function takeKey(key: SealKey): SealKey {
  const { keyId, locked } = key;
  const close = (): Promise<void> => key.close();
  return Object.freeze<SealKey>({
    keyId,
    locked,
    mac: (...args) => key.mac(...args),
    verify: (...args) => key.verify(...args),
    close,
    [Symbol.asyncDispose]: close,
  });
}

/** @throws VramError `KEY_UNAVAILABLE` for a key that does not sign, or does not tell a good MAC from a bad one; whatever it rejects with */
export async function assertUsable(key: SealKey, instanceId: string): Promise<void> {
  const mac: unknown = await key.mac(instanceId, PROBE);
  if (types.isUint8Array(mac) && mac.length === MAC_BYTES) {
    const other = Uint8Array.from(mac, (byte, index) => (index === 0 ? byte ^ 1 : byte));
    const verdicts: readonly unknown[] = [await key.verify(instanceId, PROBE, mac), await key.verify(instanceId, PROBE, other)];
    if (verdicts[0] === true && verdicts[1] === false) return;
  }
  throw new VramError("KEY_UNAVAILABLE", "the seal key does not verify what it signs", { details: { reason: "unusable" } });
}

/** The keys of a worker's seals: the newest signs, all verify. */
export class SealKeys {
  readonly #keys = new Map<string, SealKey>();
  /** Seals that are being made, by the id of their key. */
  readonly #unfinished = new Map<string, number>();
  #signingId: string;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(signing: SealKey) {
    this.#signingId = signing.keyId;
    this.#keys.set(this.#signingId, signing);
  }

  get signingId(): string {
    return this.#signingId;
  }

  /** The key that signs now. */
  get signing(): SealKey {
    return this.#find(this.#signingId);
  }

  /** The signing key first. */
  all(): readonly SealKey[] {
    return [...this.#keys.values()].reverse();
  }

  /** @throws VramError `INVALID_INPUT` where a key has this id already */
  assertNew(keyId: string): void {
    if (this.#keys.has(keyId)) throw invalidInput("key", "not be a key of this residency already");
  }

  /** Changes of keys, and of the seals of live shards, are made one after another. */
  change<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastChange.then(work);
    this.#lastChange = done.catch(() => undefined);
    return done;
  }

  /** From here on this key signs. */
  add(key: SealKey): void {
    this.#signingId = key.keyId;
    this.#keys.set(key.keyId, key);
  }

  /** Runs what signs with the key of now, which cannot be retired meanwhile. */
  async sign<T>(work: (key: SealKey) => Promise<T>): Promise<T> {
    const keyId = this.#signingId;
    const key = this.signing;
    this.#unfinished.set(keyId, (this.#unfinished.get(keyId) ?? 0) + 1);
    try {
      return await work(key);
    } finally {
      this.#unfinished.set(keyId, (this.#unfinished.get(keyId) ?? 0) - 1);
    }
  }

  /**
   * Takes a key out: what it signed verifies no more.
   * @throws VramError `INVALID_INPUT` for the signing key, one that is not here, and one with which a seal is being made
   */
  remove(keyId: string): SealKey {
    const key = this.#find(keyId);
    if (keyId === this.#signingId) throw invalidInput("keyId", "not be the id of the key that signs");
    if ((this.#unfinished.get(keyId) ?? 0) > 0) throw invalidInput("keyId", "wait until what it signs is sealed");
    this.#keys.delete(keyId);
    return key;
  }

  /** Closes every key, whatever happens to one. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#keys.values()].map(async (key) => key.close()));
  }

  #find(keyId: string): SealKey {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw invalidInput("keyId", "be the id of a key of this residency");
    return key;
  }
}
