import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { importKey, KEY_BYTES } from "./key-derivation.js";
import { type KeyFileContext, type KeyFileRefusal, keyFileRefusal } from "./key-file-rules.js";
import { currentContext, keyFileError, keyFileRefused, resolveKeyPath } from "./key-path.js";
import { LocalSealKey } from "./local-seal-key.js";
import type { SealKey } from "./seal-key.js";

// O_NONBLOCK: opening a FIFO must not wait for its writer. libuv adds O_CLOEXEC.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

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
export async function readKeyFile(path: string, place: KeyFileContext["place"]): Promise<SealKey> {
  const context = currentContext(place);
  const { path: resolved, name } = await resolveKeyPath(path, context);
  const key = Buffer.allocUnsafeSlow(KEY_BYTES);
  try {
    const refusal = await readKey(resolved, key, context);
    if (refusal !== undefined) throw keyFileRefused(name, refusal);
    return new LocalSealKey(importKey(key));
  } catch (error) {
    throw keyFileError(name, error);
  } finally {
    key.fill(0);
  }
}

async function readKey(path: string, key: Buffer, context: KeyFileContext): Promise<KeyFileRefusal | undefined> {
  const file = await open(path, OPEN_FLAGS);
  try {
    const refusal = keyFileRefusal(await file.stat(), context);
    if (refusal !== undefined) return refusal;
    const { bytesRead } = await file.read(key, 0, KEY_BYTES, 0);
    if (bytesRead !== KEY_BYTES) return "wrong-length";
    return key.every((byte) => byte === 0) ? "zero-key" : undefined;
  } finally {
    await file.close();
  }
}
