import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileUnavailable } from "../audit-error.js";
import { parsePath } from "../log/options.js";
import { ANCHOR_FILE } from "../storage/file-names.js";

// O_NONBLOCK: opening a FIFO must not wait for its writer.
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** More than a signed note has: a longer file is refused by its form. */
const READ_MAX_BYTES = 262_144;

/**
 * The checkpoint that a directory anchor keeps, or that somebody kept in a file, for `verifyAuditLog`, which judges it.
 * @param path of the directory or the file
 * @throws AuditError `INVALID_INPUT`; `AUDIT_UNAVAILABLE` when it cannot be read
 */
export async function readAnchor(path: string): Promise<string> {
  const given = parsePath("path", path);
  try {
    return (await readText(given)) ?? (await readText(join(given, ANCHOR_FILE))) ?? "";
  } catch (error) {
    throw fileUnavailable(basename(given), "read", error);
  }
}

/** Undefined for a directory. */
async function readText(path: string): Promise<string | undefined> {
  const file = await open(path, READ_FLAGS);
  try {
    if ((await file.stat()).isDirectory()) return undefined;
    const bytes = Buffer.alloc(READ_MAX_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
