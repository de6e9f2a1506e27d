import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { type KeyFileContext, type KeyFileRefusal, keyFileRefusal } from "./key-file-rules.js";
import { currentContext, keyFileError, keyFileRefused, resolveKeyPath } from "./key-path.js";

// O_NONBLOCK: opening a FIFO must not wait for its writer. libuv adds O_CLOEXEC.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface PrivateFileRules {
  readonly place: KeyFileContext["place"];
  /** Whether a file may have this many bytes. */
  readonly fits: (size: number) => boolean;
  /** The refusal of one that may not. */
  readonly misfit: KeyFileRefusal;
}

/**
 * Reads a secret from a file that nobody else can read or exchange, and wipes what was read when `use` has returned.
 *
 * @throws SealError `INVALID_INPUT`, `KEY_UNAVAILABLE`
 */
export async function readPrivateFile<T>(path: string, rules: PrivateFileRules, use: (bytes: Buffer, name: string) => T): Promise<T> {
  const context = currentContext(rules.place);
  const { path: resolved, name } = await resolveKeyPath(path, context);
  try {
    const file = await open(resolved, OPEN_FLAGS);
    try {
      const facts = await file.stat();
      const refusal = keyFileRefusal(facts, context) ?? (rules.fits(facts.size) ? undefined : rules.misfit);
      if (refusal !== undefined) throw keyFileRefused(name, refusal);
      const bytes = Buffer.allocUnsafeSlow(facts.size);
      try {
        const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
        if (bytesRead !== bytes.length) throw keyFileRefused(name, rules.misfit);
        return use(bytes, name);
      } finally {
        bytes.fill(0);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw keyFileError(name, error);
  }
}
