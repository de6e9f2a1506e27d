import { type KeyObject, sign, verify } from "node:crypto";
import type { VerifierKey } from "./verifier-key.js";

const SIGNATURE_BYTES = 64;
const SIGNATURES_MAX = 100;
const NOTE_MAX_LENGTH = 65_536;
const FORBIDDEN = /(?!\n)\p{Cc}/u;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/u;

/** Signs `text`, which ends in a newline, as a C2SP signed note with one Ed25519 signature. */
export function signNote(text: string, privateKey: KeyObject, { name, keyId }: VerifierKey): string {
  const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n— ${name} ${signature.toString("base64")}\n`;
}

/**
 * The text of a C2SP signed note if `key` signed it, else undefined. Signatures of other keys are ignored, as the
 * specification asks; a wrong one under this key's name and id is not.
 */
export function openNote(note: string, key: VerifierKey): string | undefined {
  if (note.length > NOTE_MAX_LENGTH || FORBIDDEN.test(note) || !note.endsWith("\n")) return undefined;
  const split = note.lastIndexOf("\n\n");
  if (split < 0) return undefined;
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) return undefined;
  const verdicts = lines.map((line) => signatureVerdict(line, text, key));
  return verdicts.includes("wrong") || !verdicts.includes("good") ? undefined : text;
}

function signatureVerdict(line: string, text: string, { name, keyId, key }: VerifierKey): "good" | "wrong" | "foreign" {
  const match = SIGNATURE_LINE.exec(line);
  if (match === null) return "wrong";
  const [, signer = "", encoded = ""] = match;
  const bytes = Buffer.from(encoded, "base64");
  // One spelling a signature: what does not re-encode to itself was altered.
  if (bytes.toString("base64") !== encoded || bytes.length <= keyId.length) return "wrong";
  if (signer !== name || !bytes.subarray(0, keyId.length).equals(keyId)) return "foreign";
  const signature = bytes.subarray(keyId.length);
  return signature.length === SIGNATURE_BYTES && verify(null, Buffer.from(text), key, signature) ? "good" : "wrong";
}
