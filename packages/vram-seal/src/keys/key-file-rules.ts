import { KEY_BYTES } from "./key-derivation.js";

export const TOKEN_MIN_LENGTH = 32;
export const TOKEN_MAX_LENGTH = 512;

/** Why a key file was refused. */
export type KeyFileRefusal =
  | "symbolic-link"
  | "not-a-regular-file"
  | "hard-linked"
  | "foreign-owner"
  | "permissive-mode"
  | "wrong-length"
  | "zero-key"
  | "not-ed25519"
  | "not-a-token"
  | "parent-not-a-directory"
  | "parent-foreign-owner"
  | "parent-writable"
  | "exists";

/** What each refused file must do instead, as the end of "the key file must ...". */
export const KEY_FILE_EXPECTATION: Readonly<Record<KeyFileRefusal, string>> = {
  "symbolic-link": "be named itself, not through a symbolic link",
  "not-a-regular-file": "be a regular file",
  "hard-linked": "have one link only",
  "foreign-owner": "belong to this user or root",
  "permissive-mode": "grant nothing to group or others (chmod 600)",
  "wrong-length": `hold exactly ${KEY_BYTES} raw bytes`,
  "zero-key": "not be all zero bytes",
  "not-ed25519": "hold an Ed25519 private key in PEM",
  "not-a-token": `hold ${TOKEN_MIN_LENGTH} to ${TOKEN_MAX_LENGTH} visible ASCII characters, and at most a line feed after them`,
  "parent-not-a-directory": "lie in a directory",
  "parent-foreign-owner": "lie in a directory of this user or root",
  "parent-writable": "lie in a directory that only its owner can write to",
  exists: "not exist yet",
};

/** The part of `fs.Stats` the rules judge. */
export interface FileFacts {
  readonly mode: number;
  readonly uid: number;
  readonly nlink: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

export interface KeyFileContext {
  /** The effective user id of this process. */
  readonly uid: number;
  /** `credential`: directly inside `$CREDENTIALS_DIRECTORY`, where systemd shows a unit's files as root's with mode 0440. */
  readonly place: "anywhere" | "credential";
}

const ROOT = 0;
const PERMISSION_BITS = 0o7777;
const GROUP_OR_OTHER = 0o077;
const GROUP_OR_OTHER_WRITE = 0o022;
const SYSTEMD_CREDENTIAL_MODE = 0o440;

/** Judges an opened key file by its descriptor's facts. */
export function keyFileRefusal(file: FileFacts, context: KeyFileContext): KeyFileRefusal | undefined {
  if (!file.isFile()) return "not-a-regular-file";
  if (file.nlink !== 1) return "hard-linked";
  if (file.uid !== context.uid && file.uid !== ROOT) return "foreign-owner";
  return (file.mode & GROUP_OR_OTHER) !== 0 && !isSystemdCredential(file, context) ? "permissive-mode" : undefined;
}

/** Judges the directory a key file lies in: whoever can write there can put another key in its place. */
export function keyDirectoryRefusal(directory: FileFacts, context: KeyFileContext): KeyFileRefusal | undefined {
  if (!directory.isDirectory()) return "parent-not-a-directory";
  if (directory.uid !== context.uid && directory.uid !== ROOT) return "parent-foreign-owner";
  return (directory.mode & GROUP_OR_OTHER_WRITE) === 0 ? undefined : "parent-writable";
}

function isSystemdCredential(file: FileFacts, context: KeyFileContext): boolean {
  return context.place === "credential" && file.uid === ROOT && (file.mode & PERMISSION_BITS) === SYSTEMD_CREDENTIAL_MODE;
}
