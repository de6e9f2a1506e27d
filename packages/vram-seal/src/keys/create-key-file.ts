import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { randomKeyBytes } from "./key-derivation.js";
import { currentContext, keyFileError, type KeyPath, resolveKeyPath } from "./key-path.js";
import { rootKeys } from "./root-keys.js";

// libuv adds O_CLOEXEC.
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const KEY_FILE_MODE = 0o600;

/**
 * Writes a new random root key to a file that does not exist yet: 32 raw bytes, mode 0600, durable on return.
 *
 * @returns the key's public name
 * @throws SealError `INVALID_INPUT` with reason `exists`, or for a directory {@link fromKeyFile} would refuse;
 * `KEY_UNAVAILABLE` when it cannot be written
 */
export async function createKeyFile(path: string): Promise<{ readonly keyId: string }> {
  const target = await resolveKeyPath(path, currentContext("anywhere"));
  const key = randomKeyBytes();
  try {
    const made = rootKeys().fromKey(Buffer.from(key));
    await made.close();
    await writeNew(target, key);
    return { keyId: made.keyId };
  } catch (error) {
    throw keyFileError(target.name, error, "unwritable");
  } finally {
    key.fill(0);
  }
}

async function writeNew({ path, directory }: KeyPath, key: Uint8Array): Promise<void> {
  const file = await open(path, CREATE_FLAGS, KEY_FILE_MODE);
  try {
    await file.chmod(KEY_FILE_MODE);
    await file.writeFile(key);
    await file.sync();
  } catch (error) {
    // A half-written key is refused by its length; if it cannot be removed either, the first failure is what counts.
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
  await syncDirectory(directory);
}

/** The name is durable only when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
