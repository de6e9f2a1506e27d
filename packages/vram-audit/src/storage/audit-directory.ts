import { constants, type Stats } from "node:fs";
import { access, type FileHandle, lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AuditError, errnoOf, fileUnavailable, unavailable } from "../audit-error.js";
import { parsePath } from "../log/options.js";

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const PERMISSION_BITS = 0o777;
// libuv adds O_CLOEXEC. O_NONBLOCK: opening a FIFO must not wait for its other end.
const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** An opened and judged directory; its files are reached through the descriptor, whatever happens to its name. */
export interface AuditDirectory {
  /** Absolute path of the directory. */
  readonly path: string;
  /** The path of a file in it for the system calls of this process. */
  entry(name: string): string;
  names(): Promise<readonly string[]>;
  /** Opens a file of ours for reading and writing, created empty if it is missing. */
  openFile(name: string): Promise<FileHandle>;
  /** The same for a file that must not exist. */
  createFile(name: string): Promise<FileHandle>;
  /** Removes a file, if it is there. */
  remove(name: string): Promise<void>;
  /** Makes the names in the directory durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the log's directory, made with mode 0700 if it is missing.
 * @throws AuditError `AUDIT_UNAVAILABLE` when it is not a directory of this user with mode 0700
 */
export async function openAuditDirectory(dir: string): Promise<AuditDirectory> {
  const path = resolve(dir);
  const name = basename(path);
  try {
    await makeDirectory(path);
    return openedDirectory(path, await openJudged(path));
  } catch (error) {
    throw fileUnavailable(name, "opened", error);
  }
}

/**
 * Tells whether `openAuditLog` could open or make this directory, and changes nothing.
 * @throws AuditError `AUDIT_UNAVAILABLE`, `INVALID_INPUT`
 */
export async function checkAuditDirectory(dir: string): Promise<void> {
  const path = resolve(parsePath("dir", dir));
  const name = basename(path);
  try {
    if (await nameExists(path)) await (await openJudged(path)).close();
    else await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileUnavailable(name, "opened", error);
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function openJudged(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    assertOurs(basename(path), await handle.stat(), DIRECTORY_MODE);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function openedDirectory(path: string, handle: FileHandle): AuditDirectory {
  const entry = (name: string) => join("/proc/self/fd", handle.fd.toString(), name);
  return {
    path,
    entry,
    names: () => readdir(entry(".")),
    openFile: async (name) => judged(name, await openOrCreate(entry(name))),
    createFile: async (name) => judged(name, await createNew(entry(name))),
    remove: (name) => rm(entry(name), { force: true }),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | SAFE);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return createNew(path);
  }
}

function createNew(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | SAFE, FILE_MODE);
}

async function judged(name: string, file: FileHandle): Promise<FileHandle> {
  try {
    const facts = await file.stat();
    if (!facts.isFile() || facts.nlink !== 1) throw notOurs(name, "be a regular file with one link");
    assertOurs(name, facts, FILE_MODE);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function assertOurs(name: string, { uid, mode }: Stats, expected: number): void {
  if (uid !== process.geteuid?.()) throw notOurs(name, "belong to this user");
  if ((mode & PERMISSION_BITS) !== expected) throw notOurs(name, `have mode 0${expected.toString(8)}`);
}

function notOurs(name: string, expectation: string): AuditError {
  return unavailable("permissions", `"${name}" must ${expectation}`, { file: name });
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether a name exists, itself and not what it links to. */
export async function nameExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
