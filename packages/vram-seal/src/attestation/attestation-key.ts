import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { inspect } from "node:util";
import { keyFileRefused } from "../keys/key-path.js";
import { readPrivateFile } from "../keys/private-file.js";
import { publicKeyId } from "../keys/public-key.js";
import { SealError } from "../seal-error.js";
import type { AttestationKeyOrigin } from "./attestation-statement.js";

const PEM_MAX_BYTES = 4096;

/** What makes an attestation key's signatures. Owned: close it. */
export interface AttestationSigner {
  /** An Ed25519 signature. @throws SealError `KEY_UNAVAILABLE`, also after `close()` */
  sign(message: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** An Ed25519 key that signs attestations and never shows itself. Owned: close it. */
export class AttestationKey {
  /** SubjectPublicKeyInfo in PEM, for whoever verifies. */
  readonly publicKey: string;
  /** SHA-256 of the public key's SubjectPublicKeyInfo, 64 lowercase hexadecimal characters. */
  readonly keyId: string;
  readonly origin: AttestationKeyOrigin;
  readonly #signer: AttestationSigner;

  /** @internal */
  constructor(publicKey: KeyObject, signer: AttestationSigner, origin: AttestationKeyOrigin) {
    this.#signer = signer;
    this.publicKey = publicKey.export({ type: "spki", format: "pem" }).toString();
    this.keyId = publicKeyId(publicKey);
    this.origin = origin;
    Object.freeze(this);
  }

  /** An Ed25519 signature of 64 bytes. @throws SealError `KEY_UNAVAILABLE`, also after `close()` */
  sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#signer.sign(message);
  }

  /** Drops the key. Idempotent. */
  close(): Promise<void> {
    return this.#signer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [inspect.custom](): string {
    return `AttestationKey { keyId: '${this.keyId}', origin: '${this.origin}' }`;
  }
}

/** Signs with a private key in this process. */
class LocalSigner implements AttestationSigner {
  #key: KeyObject | undefined;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      if (this.#key === undefined) {
        throw new SealError("KEY_UNAVAILABLE", "the attestation key is closed", { details: { reason: "closed" } });
      }
      resolve(sign(null, message, this.#key));
    });
  }

  close(): Promise<void> {
    this.#key = undefined;
    return Promise.resolve();
  }
}

/** @internal */
export function localAttestationKey(privateKey: KeyObject, origin: AttestationKeyOrigin): AttestationKey {
  return new AttestationKey(createPublicKey(privateKey), new LocalSigner(privateKey), origin);
}

/** A new key that lives as long as this process. A verifier must allow it by name. */
export function generateAttestationKey(): AttestationKey {
  return localAttestationKey(generateKeyPairSync("ed25519").privateKey, "process");
}

/**
 * A key from a file with an Ed25519 private key in PEM (PKCS #8), such as `openssl genpkey -algorithm ed25519` makes. The
 * file is judged as a seal key's is.
 *
 * @throws SealError `INVALID_INPUT` for a refused file and `KEY_UNAVAILABLE` for one that is missing or unreadable
 */
export function fromAttestationKeyFile(path: string): Promise<AttestationKey> {
  const rules = { place: "anywhere", fits: (size: number) => size > 0 && size <= PEM_MAX_BYTES, misfit: "not-ed25519" } as const;
  return readPrivateFile(path, rules, (pem, name) => {
    const key = parsePrivateKey(pem);
    if (key?.asymmetricKeyType !== "ed25519") throw keyFileRefused(name, "not-ed25519");
    return localAttestationKey(key, "file");
  });
}

/** OpenSSL's message may describe the key's content. */
function parsePrivateKey(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
