import { hash } from "node:crypto";
import { textProblem } from "vram-text";
import { assertBytes, assertInstanceId } from "../../input.js";
import { invalidInput } from "../../seal-error.js";
import { keyIdOf } from "../key-derivation.js";
import { NamedSealKey } from "../named-seal-key.js";
import { rootKeys } from "../root-keys.js";
import type { SealKey } from "../seal-key.js";
import type { Pkcs11Module } from "./module.js";
import { TokenKey } from "./token-key.js";
import { tokenUnavailable } from "./token-error.js";

const ROOT_MESSAGE = Buffer.from("vram-seal/v1\0root");
const DIRECT_LABEL = "vram-seal/direct/v1";

export interface Pkcs11Options {
  /** Path of the token's PKCS #11 library. */
  readonly library: string;
  /** Label of the token. */
  readonly token: string;
  /** The user's PIN. */
  readonly pin: string;
  /** Label of the secret key, which must be allowed to sign with HMAC-SHA256. */
  readonly key: string;
  /** `direct`: the token makes every MAC. `derive`: it makes one, when the key is opened, and that is the root key. */
  readonly mode: "derive" | "direct";
  /** The package pkcs11js where it is not to be found by that name. */
  readonly module?: Pkcs11Module;
}

/**
 * A key in a token of PKCS #11: an HSM, a smart card, a TPM (docs/spec/seal-v1.md, "Keys"). Needs the package pkcs11js.
 *
 * @throws SealError `INVALID_INPUT`; `KEY_UNAVAILABLE` with `details.reason`, and `details.result` where the token gave one
 */
export async function fromPkcs11(options: Pkcs11Options): Promise<SealKey> {
  const { library, token, pin, key, mode } = options;
  for (const [name, value] of Object.entries({ library, token, pin, key })) {
    const problem = typeof value === "string" ? textProblem(value) : "be text";
    if (problem !== undefined) throw invalidInput(name, problem);
  }
  if (!["derive", "direct"].includes(mode)) throw invalidInput("mode", 'be "derive" or "direct"');
  const opened = TokenKey.open({ library, token, pin, key }, options.module ?? (await importModule()));
  try {
    if (mode === "direct") return new TokenSealKey(opened, keyIdOf(await opened.hmac(Buffer.from("key-id"))));
    return rootKeys().fromKey(await opened.hmac(ROOT_MESSAGE));
  } catch (error) {
    await opened.close();
    throw error;
  } finally {
    if (mode === "derive") await opened.close();
  }
}

async function importModule(): Promise<Pkcs11Module> {
  try {
    // A CommonJS module, whose names an importer does not see.
    const imported = (await import("pkcs11js")) as unknown as { readonly default: Pkcs11Module };
    return imported.default;
  } catch {
    throw tokenUnavailable("no-module", "a key in a token needs the package pkcs11js: install it beside vram-seal");
  }
}

/** A key that never leaves its token. */
class TokenSealKey extends NamedSealKey {
  readonly #key: TokenKey;

  constructor(key: TokenKey, keyId: string) {
    super(keyId, key.isHeld);
    this.#key = key;
    Object.freeze(this);
  }

  async mac(instanceId: string, message: Uint8Array): Promise<Uint8Array> {
    assertInstanceId(instanceId);
    assertBytes("message", message);
    // Of one length, and short: a TPM takes no more than a kilobyte.
    return this.#key.hmac(Buffer.concat([Buffer.from(`${DIRECT_LABEL}\0${instanceId}\0`), hash("sha256", message, "buffer")]));
  }

  close(): Promise<void> {
    return this.#key.close();
  }
}
