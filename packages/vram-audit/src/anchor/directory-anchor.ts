import { type FileHandle, rename } from "node:fs/promises";
import { resolve } from "node:path";
import { fileUnavailable, unavailable } from "../audit-error.js";
import { parsePath } from "../log/options.js";
import { type Checkpoint, parseCheckpoint, type SignedCheckpoint } from "../note/checkpoint.js";
import { type AuditDirectory, openAuditDirectory } from "../storage/audit-directory.js";
import { ANCHOR_FILE } from "../storage/file-names.js";
import type { Anchor, AnchorOptions } from "./anchor.js";
import { makeAnchor } from "./make-anchor.js";

const NEXT_FILE = `${ANCHOR_FILE}.next`;

/**
 * Keeps the newest checkpoint of one log in a directory elsewhere, best on another disk or host. The directory is this user's with mode 0700, and
 * made if it is missing; its file never goes back to fewer lines, and never to another log or history.
 * @throws AuditError `INVALID_INPUT`
 */
export function directoryAnchor(dir: string, options: AnchorOptions = {}): Anchor {
  const path = resolve(parsePath("dir", dir));
  return { ...makeAnchor("directory", options, (checkpoint) => keepIn(path, checkpoint)), kept: () => readIn(path) };
}

function keepIn(dir: string, checkpoint: SignedCheckpoint): Promise<void> {
  return withDirectory(dir, "written", async (directory) => {
    const kept = await readKeptNote(directory);
    if (kept !== "") assertContinues(checkpoint, parseCheckpoint(kept));
    await withFile(directory, NEXT_FILE, (file) => replaceContent(file, checkpoint.note));
    await rename(directory.entry(NEXT_FILE), directory.entry(ANCHOR_FILE));
    await directory.sync();
  });
}

function readIn(dir: string): Promise<string> {
  return withDirectory(dir, "read", readKeptNote);
}

/** Empty when there is none yet. */
function readKeptNote(directory: AuditDirectory): Promise<string> {
  return withFile(directory, ANCHOR_FILE, (file) => file.readFile("utf8"));
}

async function withDirectory<T>(dir: string, verb: "read" | "written", use: (directory: AuditDirectory) => Promise<T>): Promise<T> {
  const directory = await openAuditDirectory(dir);
  try {
    return await use(directory);
  } catch (error) {
    throw fileUnavailable(ANCHOR_FILE, verb, error);
  } finally {
    await directory.close();
  }
}

async function withFile<T>(directory: AuditDirectory, name: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await directory.openFile(name);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function replaceContent(file: FileHandle, note: string): Promise<void> {
  await file.truncate(0);
  await file.writeFile(note);
  await file.sync();
}

function assertContinues({ origin, size, root }: Checkpoint, kept: Checkpoint | undefined): void {
  if (kept === undefined) throw refusal("damaged", "holds no checkpoint");
  if (kept.origin !== origin) throw refusal("origin", "is another log's");
  if (kept.size > size) throw refusal("rollback", "has a checkpoint of more lines than the log");
  if (kept.size === size && !kept.root.equals(root)) throw refusal("fork", "has a checkpoint of another history");
}

function refusal(reason: string, fact: string) {
  return unavailable(reason, `the anchor's file "${ANCHOR_FILE}" ${fact}`, { file: ANCHOR_FILE });
}
