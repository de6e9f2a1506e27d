import { hash } from "node:crypto";
import { assertBytes, assertInstanceId } from "../../input.js";
import { invalidInput } from "../../seal-error.js";
import { MAC_BYTES } from "../../seal/seal-mac.js";
import { keyIdOf } from "../key-derivation.js";
import { NamedSealKey } from "../named-seal-key.js";
import { rootKeys } from "../root-keys.js";
import type { SealKey } from "../seal-key.js";
import { CKA_EXTRACTABLE, CKA_SENSITIVE, CKM_SHA256_HMAC } from "./module.js";
import type { Pkcs11Handle } from "./module.js";
import { openToken } from "./open-token.js";
import type { Pkcs11KeyOptions } from "./open-token.js";
import type { TokenSession } from "./token-session.js";

const ROOT_MESSAGE = Buffer.from("vram-seal/v1\0root");
const DIRECT_LABEL = "vram-seal/direct/v1";
const HMAC = { mechanism: CKM_SHA256_HMAC, byteLength: MAC_BYTES };

/** `key` is the label of a secret key, which must be allowed to sign with HMAC-SHA256. */
export interface Pkcs11Options extends Pkcs11KeyOptions {
  /** `direct`: the token makes every MAC. `derive`: it makes one, when the key is opened, and that is the root key. */
  readonly mode: "derive" | "direct";
}

/**
 * A key in a token of PKCS #11: an HSM, a smart card, a TPM (docs/spec/seal-v1.md, "Keys"). Needs the package pkcs11js.
 *
 * @throws SealError `INVALID_INPUT`; `KEY_UNAVAILABLE` with `details.reason`, and `details.result` where the token gave one
 */
export async function fromPkcs11(options: Pkcs11Options): Promise<SealKey> {
  const { key: label, mode } = options;
  if (!["derive", "direct"].includes(mode)) throw invalidInput("mode", 'be "derive" or "direct"');
  return openToken(options, async (session) => {
    const key = session.findKey("secret", label);
    if (mode === "direct") return new TokenSealKey(session, key, keyIdOf(await session.sign(key, HMAC, Buffer.from("key-id"))));
    const derived = rootKeys().fromKey(await session.sign(key, HMAC, ROOT_MESSAGE));
    await session.close();
    return derived;
  });
}

/** A key that never leaves its token. */
class TokenSealKey extends NamedSealKey {
  readonly #session: TokenSession;
  readonly #key: Pkcs11Handle;

  constructor(session: TokenSession, key: Pkcs11Handle, keyId: string) {
    super(keyId, isHeld(session, key));
    this.#session = session;
    this.#key = key;
    Object.freeze(this);
  }

  async mac(instanceId: string, message: Uint8Array): Promise<Uint8Array> {
    assertInstanceId(instanceId);
    assertBytes("message", message);
    // Of one length, and short: a TPM takes no more than a kilobyte.
    const bound = Buffer.concat([Buffer.from(`${DIRECT_LABEL}\0${instanceId}\0`), hash("sha256", message, "buffer")]);
    return this.#session.sign(this.#key, HMAC, bound);
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** Whether the token says that it never gives the key out. */
function isHeld(session: TokenSession, key: Pkcs11Handle): boolean {
  try {
    return isFlag(session.attribute(key, CKA_SENSITIVE), 1) && isFlag(session.attribute(key, CKA_EXTRACTABLE), 0);
  } catch {
    return false;
  }
}

const isFlag = (value: Buffer, flag: number): boolean => value.length === 1 && value[0] === flag;
