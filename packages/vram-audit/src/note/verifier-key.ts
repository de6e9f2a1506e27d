import { createPublicKey, type KeyObject } from "node:crypto";
import { sha256 } from "../tree/sha256.js";

const ED25519 = 0x01;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;

/** The public half of a log's key under its C2SP key name. */
export interface VerifierKey {
  readonly name: string;
  /** First 4 bytes of SHA-256(name || 0x0A || 0x01 || public key). */
  readonly keyId: Buffer;
  /** The raw Ed25519 public key, 32 bytes. */
  readonly bytes: Buffer;
  readonly key: KeyObject;
}

/** @throws TypeError when `bytes` is not an Ed25519 public key */
export function verifierKey(name: string, bytes: Uint8Array): VerifierKey {
  const raw = Buffer.from(bytes);
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
  return { name, bytes: raw, key, keyId: keyIdOf(name, raw) };
}

/** C2SP signed-note, "Signatures". */
function keyIdOf(name: string, bytes: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from(name), Uint8Array.of(0x0a, ED25519), bytes])).subarray(0, KEY_ID_BYTES);
}

/** The raw public half of an Ed25519 key. */
export function rawPublicKey(key: KeyObject): Buffer {
  const { x } = (key.type === "private" ? createPublicKey(key) : key).export({ format: "jwk" });
  return Buffer.from(x ?? "", "base64url");
}

/** C2SP signed-note, "Verifier keys": `name+hex(keyid)+base64(0x01 || public key)`. */
export function formatVerifierKey({ name, keyId, bytes }: VerifierKey): string {
  return `${name}+${keyId.toString("hex")}+${Buffer.concat([Uint8Array.of(ED25519), bytes]).toString("base64")}`;
}

/** Reads what {@link formatVerifierKey} writes; undefined when anything in it is wrong. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  const match = /^([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text);
  if (match === null) return undefined;
  const [, name = "", keyId = "", encoded = ""] = match;
  const decoded = Buffer.from(encoded, "base64");
  if (decoded.length !== KEY_BYTES + 1 || decoded[0] !== ED25519 || decoded.toString("base64") !== encoded) return undefined;
  const key = verifierKey(name, decoded.subarray(1));
  return key.keyId.toString("hex") === keyId ? key : undefined;
}
