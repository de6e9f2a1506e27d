import { type KeyObject, verify } from "node:crypto";
import { assertEd25519, readEd25519 } from "../keys/pkcs11/ed25519-key.js";
import { CKM_EDDSA } from "../keys/pkcs11/module.js";
import type { Pkcs11Handle } from "../keys/pkcs11/module.js";
import { openToken } from "../keys/pkcs11/open-token.js";
import type { Pkcs11KeyOptions } from "../keys/pkcs11/open-token.js";
import { tokenUnavailable } from "../keys/pkcs11/token-error.js";
import type { TokenSession } from "../keys/pkcs11/token-session.js";
import { AttestationKey } from "./attestation-key.js";
import type { AttestationSigner } from "./attestation-key.js";
import { SIGNATURE_BYTES } from "./attestation-statement.js";

/** Shows that the two keys of the label are a pair, and that the private one may sign. No attestation begins like it. */
const PROBE = Buffer.from("vram-seal: is this a pair of keys?");
const EDDSA = { mechanism: CKM_EDDSA, byteLength: SIGNATURE_BYTES };

/**
 * An Ed25519 key pair in a token of PKCS #11, such as an HSM: private and public key of one label. Every signature is made in the
 * token. Needs the package pkcs11js.
 *
 * @throws SealError `INVALID_INPUT`; `KEY_UNAVAILABLE` with `details.reason`, and `details.result` where the token gave one
 */
export function fromAttestationPkcs11(options: Pkcs11KeyOptions): Promise<AttestationKey> {
  return openToken(options, async (session) => {
    const privateKey = session.findKey("private", options.key);
    assertEd25519(session, privateKey);
    const publicKey = readEd25519(session, session.findKey("public", options.key));
    const signer = new TokenSigner(session, privateKey, publicKey);
    await signer.sign(PROBE);
    return new AttestationKey(publicKey, signer, "pkcs11");
  });
}

class TokenSigner implements AttestationSigner {
  readonly #session: TokenSession;
  readonly #key: Pkcs11Handle;
  readonly #publicKey: KeyObject;

  constructor(session: TokenSession, key: Pkcs11Handle, publicKey: KeyObject) {
    this.#session = session;
    this.#key = key;
    this.#publicKey = publicKey;
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const signature = await this.#session.sign(this.#key, EDDSA, message);
    if (verify(null, message, this.#publicKey, signature)) return signature;
    throw tokenUnavailable("wrong-signature", "the token's signature is not one of its public key");
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
