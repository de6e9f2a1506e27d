import { CKF_OS_LOCKING_OK, CKR_CRYPTOKI_ALREADY_INITIALIZED } from "./module.js";
import type { Pkcs11Library, Pkcs11Module } from "./module.js";
import { resultOf, tokenRefused, tokenUnavailable } from "./token-error.js";

interface Shared {
  readonly library: Pkcs11Library;
  /** Who initialised it ends it. */
  readonly isOwn: boolean;
  users: number;
}

/** A process initialises a library once: whoever uses it shares it, and the last one ends it. */
const shared = new Map<string, Shared>();

/** @throws SealError `KEY_UNAVAILABLE` */
export function acquireLibrary(path: string, { PKCS11 }: Pkcs11Module): { readonly library: Pkcs11Library; readonly release: () => void } {
  let entry = shared.get(path);
  if (entry === undefined) {
    entry = { ...load(new PKCS11(), path), users: 0 };
    shared.set(path, entry);
  }
  entry.users += 1;
  return { library: entry.library, release: once(() => { release(path); }) };
}

function load(library: Pkcs11Library, path: string): Pick<Shared, "library" | "isOwn"> {
  try {
    library.load(path);
  } catch {
    throw tokenUnavailable("no-library", "the token's PKCS #11 library could not be loaded");
  }
  try {
    library.C_Initialize({ flags: CKF_OS_LOCKING_OK });
    return { library, isOwn: true };
  } catch (error) {
    if (resultOf(error) === CKR_CRYPTOKI_ALREADY_INITIALIZED) return { library, isOwn: false };
    library.close();
    throw tokenRefused(error);
  }
}

function release(path: string): void {
  const entry = shared.get(path);
  if (entry === undefined) return;
  entry.users -= 1;
  if (entry.users > 0) return;
  shared.delete(path);
  try {
    if (entry.isOwn) entry.library.C_Finalize();
  } catch {
    // A token that is gone cannot be told good-bye.
  }
  entry.library.close();
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
