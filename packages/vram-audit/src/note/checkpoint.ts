import type { KeyObject } from "node:crypto";
import { HASH_BYTES } from "../tree/sha256.js";
import { openNote, signNote } from "./signed-note.js";
import type { VerifierKey } from "./verifier-key.js";

/** What a log vouches for: the first `size` lines have this RFC 6962 root. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** A checkpoint with the note in which it was signed. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string;
}

/** Lines in a checkpoint as this package writes it: origin, size, root, an empty one, one signature. */
export const CHECKPOINT_LINES = 5;

/** A C2SP tlog-checkpoint, signed. */
export function signCheckpoint({ origin, size, root }: Checkpoint, privateKey: KeyObject, key: VerifierKey): string {
  return signNote(`${origin}\n${size}\n${root.toString("base64")}\n`, privateKey, key);
}

/** The checkpoint in a note that `key` signed, else undefined. Extension lines after the root are allowed and ignored. */
export function openCheckpoint(note: string, key: VerifierKey): Checkpoint | undefined {
  return openNote(note, key) === undefined ? undefined : parseCheckpoint(note);
}

/** The checkpoint in a note that is taken as it is, whoever signed it. */
export function parseCheckpoint(note: string): Checkpoint | undefined {
  const [origin = "", sizeText = "", rootText = "", ...rest] = note.slice(0, note.lastIndexOf("\n\n") + 1).split("\n");
  const size = /^(?:0|[1-9][0-9]{0,15})$/.test(sizeText) ? Number(sizeText) : Number.NaN;
  const root = Buffer.from(rootText, "base64");
  const wellFormed = Number.isSafeInteger(size) && root.length === HASH_BYTES && root.toString("base64") === rootText;
  const complete = rest.length > 0 && !rest.slice(0, -1).includes("");
  return origin !== "" && wellFormed && complete ? { origin, size, root } : undefined;
}
