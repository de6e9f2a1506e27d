import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, open, realpath, stat, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { AuditError, errnoOf, fileUnavailable, invalidInput, unavailable } from "../audit-error.js";
import { syncDirectory } from "./audit-directory.js";
import { KEY_SUFFIX } from "./file-names.js";

const KEY_MODE = 0o600;
const KEY_MAX_BYTES = 4096;
const GROUP_OR_OTHER = 0o077;
const GROUP_OR_OTHER_WRITE = 0o022;
const STICKY = 0o1000;
const ROOT = 0;
// libuv adds O_CLOEXEC. O_NONBLOCK: opening a FIFO must not wait for its writer.
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * The log's signing key: as given, from the file given, or from the file beside the log's directory.
 *
 * @param directory absolute path of the log's directory, in which the key must not lie
 * @param mode `create` makes the file beside the directory if it is missing: only for a log without lines
 * @throws AuditError `INVALID_INPUT` for a key that is not an Ed25519 private key, `AUDIT_UNAVAILABLE` for a file that is
 * missing, unreadable, or could be someone else's
 */
export async function resolveSigningKey(given: KeyObject | string | undefined, directory: string, mode: "create" | "existing"): Promise<KeyObject> {
  if (given !== undefined && typeof given !== "string") return assertEd25519(given);
  const path = given === undefined ? `${directory}${KEY_SUFFIX}` : resolve(given);
  const name = basename(path);
  try {
    const parent = await realpath(dirname(path));
    assertOutside(parent, await realpath(directory));
    assertSafeParent(name, await stat(parent));
    const target = join(parent, name);
    return (await readKey(target, name)) ?? (await makeKey(target, name, given === undefined ? mode : "existing"));
  } catch (error) {
    throw fileUnavailable(name, "opened", error);
  }
}

function assertOutside(parent: string, directory: string): void {
  if (`${parent}${sep}`.startsWith(`${directory}${sep}`)) throw invalidInput("signingKey", "lie outside the log's directory");
}

/** Undefined when there is no such file. */
async function readKey(path: string, name: string): Promise<KeyObject | undefined> {
  const file = await openExisting(path);
  if (file === undefined) return undefined;
  try {
    const facts = await file.stat();
    assertSafeFile(name, facts);
    const text = Buffer.alloc(facts.size);
    await file.read(text, 0, text.length, 0);
    const key = parseKey(text, name);
    text.fill(0);
    return key;
  } finally {
    await file.close();
  }
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, READ_FLAGS);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function parseKey(text: Buffer, name: string): KeyObject {
  try {
    return assertEd25519(createPrivateKey(text));
  } catch (error) {
    // OpenSSL's message may describe the key's content.
    if (error instanceof AuditError) throw error;
    throw refused(name, "hold an Ed25519 private key in PEM");
  }
}

async function makeKey(path: string, name: string, mode: "create" | "existing"): Promise<KeyObject> {
  if (mode === "existing") throw unavailable("key", `the signing key "${name}" is missing`, { file: name });
  const { privateKey } = generateKeyPairSync("ed25519");
  const file = await open(path, CREATE_FLAGS, KEY_MODE);
  try {
    await file.writeFile(privateKey.export({ type: "pkcs8", format: "pem" }));
    await file.sync();
  } catch (error) {
    // A half-written key cannot be parsed; if it cannot be removed either, the first failure is what counts.
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
  return privateKey;
}

function assertEd25519(key: KeyObject): KeyObject {
  if (key.type === "private" && key.asymmetricKeyType === "ed25519") return key;
  throw invalidInput("signingKey", "be an Ed25519 private key");
}

function assertSafeFile(name: string, facts: Stats): void {
  const { mode, nlink, size, uid } = facts;
  if (!isTrustedOwner(uid)) throw refused(name, "belong to this user or root");
  if (!facts.isFile() || nlink !== 1 || size > KEY_MAX_BYTES) throw refused(name, "be a small file with one link");
  if ((mode & GROUP_OR_OTHER) !== 0) throw refused(name, "grant nothing to group or others (chmod 600)");
}

/** Who can write to the directory can put another key in its place, unless the directory is sticky. */
function assertSafeParent(name: string, { mode, uid }: Stats): void {
  if (!isTrustedOwner(uid)) throw refused(name, "lie in a directory of this user or root");
  if ((mode & GROUP_OR_OTHER_WRITE) !== 0 && (mode & STICKY) === 0) throw refused(name, "lie in a directory that only its owner can write to");
}

function isTrustedOwner(uid: number): boolean {
  return uid === process.geteuid?.() || uid === ROOT;
}

function refused(name: string, expectation: string): AuditError {
  return unavailable("key", `the signing key "${name}" must ${expectation}`, { file: name });
}
