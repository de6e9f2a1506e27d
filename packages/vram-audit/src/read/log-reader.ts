import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { errnoOf, fileUnavailable, unavailable } from "../audit-error.js";
import { CHECKPOINT_FILE, LEAF_FILE } from "../storage/file-names.js";
import type { HistoryFile } from "./checkpoint-history.js";
import { findSegments, type LogSegments } from "./log-lines.js";
import type { ReadableFile } from "./read-lines.js";

// O_NONBLOCK: opening a FIFO must not wait for its writer.
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The files of a log, opened to read; the sizes are those of one moment, the checkpoints' not after the lines'. */
export interface LogReader {
  readonly log: LogSegments;
  /** Undefined when the file is missing. */
  readonly history: HistoryFile | undefined;
  readonly leaves: ReadableFile | undefined;
  close(): Promise<void>;
}

/** @throws AuditError `AUDIT_UNAVAILABLE` when there is no log or it cannot be read */
export async function openLogReader(dir: string): Promise<LogReader> {
  const opened: FileHandle[] = [];
  const close = async () => {
    await Promise.allSettled(opened.map((file) => file.close()));
  };
  const openNamed = async (name: string) => {
    const file = await openRegular(dir, name);
    if (file !== undefined) opened.push(file);
    return file;
  };
  try {
    // A segment that is gone before the checkpoints are looked at was removed by a record under one of them.
    const earlier = await namesIn(dir);
    const checkpoints = await openNamed(CHECKPOINT_FILE);
    const history = checkpoints && { file: checkpoints, byteLength: (await checkpoints.stat()).size };
    const leaves = await openNamed(LEAF_FILE);
    const names = new Set([...earlier, ...(await namesIn(dir))]);
    const log = await findSegments(Array.from(names), (name) => openSegment(dir, name));
    return { log, history, leaves, close };
  } catch (error) {
    await close();
    throw fileUnavailable(basename(dir), "read", error);
  }
}

async function openSegment(dir: string, name: string): Promise<FileHandle> {
  const file = await openRegular(dir, name);
  // Retention may have removed it since the names in the directory were read.
  if (file === undefined) throw unavailable("missing", `the directory has no audit file "${name}", or no longer`, { file: name });
  return file;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function openRegular(dir: string, name: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(join(dir, name), READ_FLAGS);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw unavailable("file", `"${name}" must be a regular file`, { file: name });
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw fileUnavailable(name, "opened", error);
  }
}
