import { MAC_BYTES } from "../../seal/seal-mac.js";
import { SealError } from "../../seal-error.js";
import { acquireLibrary } from "./library.js";
import {
  CKA_CLASS,
  CKA_EXTRACTABLE,
  CKA_LABEL,
  CKA_SENSITIVE,
  CKF_SERIAL_SESSION,
  CKM_SHA256_HMAC,
  CKO_SECRET_KEY,
  CKR_USER_ALREADY_LOGGED_IN,
  CKU_USER,
} from "./module.js";
import type { Pkcs11Handle, Pkcs11Library, Pkcs11Module } from "./module.js";
import { resultOf, tokenRefused, tokenUnavailable } from "./token-error.js";

export interface TokenKeyPlace {
  readonly library: string;
  readonly token: string;
  readonly pin: string;
  readonly key: string;
}

/** A secret key in a token, with a session of its own. Owned: close it. */
export class TokenKey {
  /** Whether the token never gives the key out. */
  readonly isHeld: boolean;
  readonly #library: Pkcs11Library;
  readonly #session: Pkcs11Handle;
  readonly #key: Pkcs11Handle;
  readonly #release: () => void;
  #closed: Promise<void> | undefined;
  /** One operation at a time is what a session takes. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws SealError `KEY_UNAVAILABLE` */
  static open(place: TokenKeyPlace, module: Pkcs11Module): TokenKey {
    const { library, release } = acquireLibrary(place.library, module);
    try {
      return new TokenKey(library, place, release);
    } catch (error) {
      release();
      throw tokenRefused(error);
    }
  }

  private constructor(library: Pkcs11Library, place: TokenKeyPlace, release: () => void) {
    this.#library = library;
    this.#release = release;
    this.#session = library.C_OpenSession(findSlot(library, place.token), CKF_SERIAL_SESSION);
    try {
      login(library, this.#session, place.pin);
      this.#key = findKey(library, this.#session, place.key);
      this.isHeld = isHeld(library, this.#session, this.#key);
    } catch (error) {
      library.C_CloseSession(this.#session);
      throw error;
    }
  }

  /** HMAC-SHA256, made by the token. @throws SealError `KEY_UNAVAILABLE` */
  async hmac(message: Uint8Array): Promise<Buffer> {
    if (this.#closed !== undefined) throw new SealError("KEY_UNAVAILABLE", "the seal key is closed", { details: { reason: "closed" } });
    const work = this.#last.then(() => this.#sign(message));
    this.#last = work.catch(() => undefined);
    return await work;
  }

  /** Waits for what runs. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#last;
    try {
      this.#library.C_CloseSession(this.#session);
    } catch {
      // The session of a token that is gone is closed.
    } finally {
      this.#release();
    }
  }

  async #sign(message: Uint8Array): Promise<Buffer> {
    try {
      this.#library.C_SignInit(this.#session, { mechanism: CKM_SHA256_HMAC }, this.#key);
      const mac = await this.#library.C_SignAsync(this.#session, Buffer.from(message), Buffer.alloc(MAC_BYTES));
      if (mac.length !== MAC_BYTES) throw tokenUnavailable("token", "the token gave no HMAC-SHA256");
      return mac;
    } catch (error) {
      throw tokenRefused(error);
    }
  }
}

function findSlot(library: Pkcs11Library, label: string): Pkcs11Handle {
  const [slot, ...others] = library.C_GetSlotList(true).filter((each) => library.C_GetTokenInfo(each).label.trimEnd() === label);
  if (slot === undefined) throw tokenUnavailable("no-token", "there is no token of this label");
  if (others.length > 0) throw tokenUnavailable("ambiguous-token", "several tokens have this label");
  return slot;
}

/** All sessions of a process are logged in with the first. */
function login(library: Pkcs11Library, session: Pkcs11Handle, pin: string): void {
  try {
    library.C_Login(session, CKU_USER, pin);
  } catch (error) {
    if (resultOf(error) !== CKR_USER_ALREADY_LOGGED_IN) throw error;
  }
}

function findKey(library: Pkcs11Library, session: Pkcs11Handle, label: string): Pkcs11Handle {
  library.C_FindObjectsInit(session, [
    { type: CKA_CLASS, value: CKO_SECRET_KEY },
    { type: CKA_LABEL, value: label },
  ]);
  const [key, ...others] = library.C_FindObjects(session, 2);
  library.C_FindObjectsFinal(session);
  if (key === undefined) throw tokenUnavailable("no-key", "the token has no secret key of this label");
  if (others.length > 0) throw tokenUnavailable("ambiguous-key", "the token has several secret keys of this label");
  return key;
}

function isHeld(library: Pkcs11Library, session: Pkcs11Handle, key: Pkcs11Handle): boolean {
  try {
    const [sensitive, extractable] = library.C_GetAttributeValue(session, key, [{ type: CKA_SENSITIVE }, { type: CKA_EXTRACTABLE }]);
    return isFlag(sensitive?.value, 1) && isFlag(extractable?.value, 0);
  } catch {
    return false;
  }
}

const isFlag = (value: unknown, flag: number): boolean => Buffer.isBuffer(value) && value.length === 1 && value[0] === flag;
