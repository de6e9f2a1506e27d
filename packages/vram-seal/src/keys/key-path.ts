import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { textProblem } from "vram-text";
import { invalidInput, SealError } from "../seal-error.js";
import { KEY_FILE_EXPECTATION, type KeyFileContext, keyDirectoryRefusal, type KeyFileRefusal } from "./key-file-rules.js";

const PATH_MAX_LENGTH = 4096;

/** A key file's path, its directory already resolved and judged. */
export interface KeyPath {
  readonly path: string;
  readonly directory: string;
  /** Bare file name, the only part that errors may show. */
  readonly name: string;
}

/** @throws SealError `INVALID_INPUT`, `KEY_UNAVAILABLE` */
export async function resolveKeyPath(path: string, context: KeyFileContext): Promise<KeyPath> {
  const problem = textProblem(path, PATH_MAX_LENGTH);
  if (problem !== undefined) throw invalidInput("path", problem);
  const name = basename(path);
  if (name === "" || name === "." || name === "..") throw invalidInput("path", "name a file");
  try {
    const directory = await realpath(dirname(path));
    const refusal = keyDirectoryRefusal(await stat(directory), context);
    if (refusal !== undefined) throw keyFileRefused(name, refusal);
    return { path: join(directory, name), directory, name };
  } catch (error) {
    throw keyFileError(name, error);
  }
}

/** The user whose files may be trusted. */
export function currentContext(place: KeyFileContext["place"]): KeyFileContext {
  const uid = process.geteuid?.();
  if (uid !== undefined) return { uid, place };
  throw new SealError("KEY_UNAVAILABLE", "key files need an operating system with POSIX file owners", {
    details: { reason: "platform" },
  });
}

export function keyFileRefused(name: string, reason: KeyFileRefusal): SealError {
  const details = { argument: "path", reason, file: name };
  return new SealError("INVALID_INPUT", `the key file "${name}" must ${KEY_FILE_EXPECTATION[reason]}`, { details });
}

/** Turns a file system error into ours, without its cause: Node's message holds the full path. */
export function keyFileError(
  name: string,
  error: unknown,
  failure: "unreadable" | "unwritable" = "unreadable",
): SealError {
  if (error instanceof SealError) return error;
  const errno = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
  if (errno === "ELOOP") return keyFileRefused(name, "symbolic-link");
  if (errno === "EEXIST") return keyFileRefused(name, "exists");
  if (errno === "ENOTDIR") return keyFileRefused(name, "parent-not-a-directory");
  const reason = errno === "ENOENT" ? "missing" : failure;
  return new SealError("KEY_UNAVAILABLE", `the key file "${name}" is ${reason} (${errno})`, {
    details: { reason, file: name, errno },
  });
}
