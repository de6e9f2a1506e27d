import { KEY_BYTES } from "./key-derivation.js";
import type { KeyFileContext } from "./key-file-rules.js";
import { keyFileRefused } from "./key-path.js";
import { readPrivateFile } from "./private-file.js";
import { rootKeys } from "./root-keys.js";
import type { SealKey } from "./seal-key.js";

/**
 * A root key from a file of exactly 32 raw bytes, such as {@link createKeyFile} makes.
 *
 * The file must be regular, with one link, owned by this user or root, without any permission for group or others, in a
 * directory only its owner can write to.
 *
 * @throws SealError `INVALID_INPUT` for a refused file and `KEY_UNAVAILABLE` for one that is missing or unreadable,
 * each with `details.reason` and the bare `details.file`
 */
export function fromKeyFile(path: string): Promise<SealKey> {
  return readKeyFile(path, "anywhere");
}

/** {@link fromKeyFile} with the rules of the place the file lies in. */
export function readKeyFile(path: string, place: KeyFileContext["place"]): Promise<SealKey> {
  const rules = { place, fits: (size: number) => size === KEY_BYTES, misfit: "wrong-length" } as const;
  return readPrivateFile(path, rules, (key, name) => {
    if (key.every((byte) => byte === 0)) throw keyFileRefused(name, "zero-key");
    return rootKeys().fromKey(key);
  });
}
