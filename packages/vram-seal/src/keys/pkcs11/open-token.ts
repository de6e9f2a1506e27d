import { textProblem } from "vram-text";
import { invalidInput } from "../../seal-error.js";
import type { Pkcs11Module } from "./module.js";
import { tokenUnavailable } from "./token-error.js";
import { TokenSession } from "./token-session.js";

/** Where a key in a token is found. */
export interface Pkcs11KeyOptions {
  /** Path of the token's PKCS #11 library. */
  readonly library: string;
  /** Label of the token. */
  readonly token: string;
  /** The user's PIN. */
  readonly pin: string;
  /** Label of the key. */
  readonly key: string;
  /** The package pkcs11js where it is not to be found by that name. */
  readonly module?: Pkcs11Module;
}

/**
 * What `use` makes of a session with the token, which is closed if it fails, and else `use`'s to close.
 *
 * @throws SealError `INVALID_INPUT`; `KEY_UNAVAILABLE` with `details.reason`, and `details.result` where the token gave one
 */
export async function openToken<T>({ library, token, pin, key, module }: Pkcs11KeyOptions, use: (session: TokenSession) => T | Promise<T>): Promise<T> {
  for (const [name, value] of Object.entries({ library, token, pin, key })) {
    const problem = typeof value === "string" ? textProblem(value) : "be text";
    if (problem !== undefined) throw invalidInput(name, problem);
  }
  const session = TokenSession.open({ library, token, pin }, module ?? (await importModule()));
  try {
    return await use(session);
  } catch (error) {
    await session.close();
    throw error;
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
