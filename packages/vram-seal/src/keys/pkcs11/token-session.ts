import { SealError } from "../../seal-error.js";
import { acquireLibrary } from "./library.js";
import { CKA_CLASS, CKA_LABEL, CKF_SERIAL_SESSION, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKR_USER_ALREADY_LOGGED_IN, CKU_USER } from "./module.js";
import type { Pkcs11Handle, Pkcs11Library, Pkcs11Module } from "./module.js";
import { resultOf, tokenRefused, tokenUnavailable } from "./token-error.js";

export interface TokenPlace {
  readonly library: string;
  readonly token: string;
  readonly pin: string;
}

/** How a token signs, and how many bytes come of it. */
export interface TokenMechanism {
  readonly mechanism: number;
  readonly byteLength: number;
}

const KEY_CLASSES = { secret: CKO_SECRET_KEY, private: CKO_PRIVATE_KEY, public: CKO_PUBLIC_KEY };

/** A session with a token, logged in. Owned: close it. */
export class TokenSession {
  readonly #library: Pkcs11Library;
  readonly #session: Pkcs11Handle;
  readonly #release: () => void;
  #closed: Promise<void> | undefined;
  /** One operation at a time is what a session takes. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws SealError `KEY_UNAVAILABLE` */
  static open(place: TokenPlace, module: Pkcs11Module): TokenSession {
    const { library, release } = acquireLibrary(place.library, module);
    try {
      return new TokenSession(library, asked(() => openSession(library, place)), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  private constructor(library: Pkcs11Library, session: Pkcs11Handle, release: () => void) {
    this.#library = library;
    this.#session = session;
    this.#release = release;
  }

  /** The one key of a class and label. @throws SealError `KEY_UNAVAILABLE` */
  findKey(kind: keyof typeof KEY_CLASSES, label: string): Pkcs11Handle {
    const [key, ...others] = asked(() => this.#find(KEY_CLASSES[kind], label));
    if (key === undefined) throw tokenUnavailable("no-key", `the token has no ${kind} key of this label`);
    if (others.length > 0) throw tokenUnavailable("ambiguous-key", `the token has several ${kind} keys of this label`);
    return key;
  }

  #find(objectClass: number, label: string): Pkcs11Handle[] {
    this.#library.C_FindObjectsInit(this.#session, [
      { type: CKA_CLASS, value: objectClass },
      { type: CKA_LABEL, value: label },
    ]);
    const keys = this.#library.C_FindObjects(this.#session, 2);
    this.#library.C_FindObjectsFinal(this.#session);
    return keys;
  }

  /** What an object has as an attribute, as the token wrote it. @throws SealError `KEY_UNAVAILABLE` */
  attribute(object: Pkcs11Handle, type: number): Buffer {
    const [attribute] = asked(() => this.#library.C_GetAttributeValue(this.#session, object, [{ type }]));
    if (!Buffer.isBuffer(attribute?.value)) throw tokenUnavailable("token", "the token gave no attribute");
    return attribute.value;
  }

  /** A signature or MAC, made by the token. @throws SealError `KEY_UNAVAILABLE` */
  async sign(key: Pkcs11Handle, mechanism: TokenMechanism, message: Uint8Array): Promise<Buffer> {
    if (this.#closed !== undefined) throw new SealError("KEY_UNAVAILABLE", "the key is closed", { details: { reason: "closed" } });
    const work = this.#last.then(() => this.#sign(key, mechanism, message));
    this.#last = work.catch(() => undefined);
    return await work;
  }

  async #sign(key: Pkcs11Handle, { mechanism, byteLength }: TokenMechanism, message: Uint8Array): Promise<Buffer> {
    try {
      this.#library.C_SignInit(this.#session, { mechanism }, key);
      const signature = await this.#library.C_SignAsync(this.#session, Buffer.from(message), Buffer.alloc(byteLength));
      if (signature.length !== byteLength) throw tokenUnavailable("token", "the token gave a signature of another length");
      return signature;
    } catch (error) {
      throw tokenRefused(error);
    }
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
}

/** What the library answers. @throws SealError `KEY_UNAVAILABLE` */
function asked<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw tokenRefused(error);
  }
}

function openSession(library: Pkcs11Library, { token, pin }: TokenPlace): Pkcs11Handle {
  const session = library.C_OpenSession(findSlot(library, token), CKF_SERIAL_SESSION);
  try {
    login(library, session, pin);
    return session;
  } catch (error) {
    library.C_CloseSession(session);
    throw error;
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
