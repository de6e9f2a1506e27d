import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { errnoOf, fileUnavailable, unavailable } from "../audit-error.js";
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from "../note/verifier-key.js";
import { syncDirectory } from "./audit-directory.js";
import { PUBLIC_KEY_SUFFIX } from "./file-names.js";

const PUBLIC_MODE = 0o644;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Makes sure that the file beside the directory names this key, and makes it if it is missing.
 * @throws AuditError `AUDIT_UNAVAILABLE` when it names another
 */
export async function publishVerifierKey(directory: string, key: VerifierKey): Promise<void> {
  const path = `${directory}${PUBLIC_KEY_SUFFIX}`;
  const name = basename(path);
  const line = formatVerifierKey(key);
  try {
    const published = await readText(path);
    if (published === undefined) await writeNew(path, `${line}\n`);
    else if (published.trimEnd() !== line) throw unavailable("key", `"${name}" names another key or origin than the log's`, { file: name });
  } catch (error) {
    throw fileUnavailable(name, "written", error);
  }
}

/**
 * The key in the file beside a log's directory; undefined when there is no such file.
 * @throws AuditError `AUDIT_UNAVAILABLE` when it holds no key: without it a damaged anchor would pass for none
 */
export async function readPublishedKey(directory: string): Promise<VerifierKey | undefined> {
  const path = `${directory}${PUBLIC_KEY_SUFFIX}`;
  const name = basename(path);
  try {
    const text = await readText(path);
    if (text === undefined) return undefined;
    const key = parseVerifierKey(text.trimEnd());
    if (key === undefined) throw unavailable("key", `"${name}" holds no verifier key`, { file: name });
    return key;
  } catch (error) {
    throw fileUnavailable(name, "read", error);
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, CREATE_FLAGS, PUBLIC_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
}
