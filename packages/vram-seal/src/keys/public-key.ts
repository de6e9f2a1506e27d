import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { types } from "node:util";
import { invalidInput } from "../seal-error.js";

/** OpenSSL takes a private key or a certificate for its public key, too; who pins one means neither. */
const PUBLIC_PEM = /^-----BEGIN PUBLIC KEY-----$/m;

/** A public key of one kind, from a KeyObject or SubjectPublicKeyInfo in PEM. @throws SealError `INVALID_INPUT` */
export function readPublicKey(given: KeyObject | string, kind: string, fits: (key: KeyObject) => boolean): KeyObject {
  const key = typeof given !== "string" ? given : PUBLIC_PEM.test(given) ? parsePem(given) : undefined;
  if (types.isKeyObject(key) && key.type === "public" && fits(key)) return key;
  throw invalidInput("publicKey", `be ${kind} public key, as a KeyObject or in PEM`);
}

function parsePem(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/** SHA-256 of a public key's SubjectPublicKeyInfo in DER, 64 lowercase hexadecimal characters. */
export function publicKeyId(key: KeyObject): string {
  return createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("hex");
}
