import { createPublicKey, type KeyObject } from "node:crypto";
import { types } from "node:util";
import { invalidInput } from "../seal-error.js";

/** A public key of one kind, from a KeyObject or PEM. @throws SealError `INVALID_INPUT` */
export function readPublicKey(given: KeyObject | string, kind: string, fits: (key: KeyObject) => boolean): KeyObject {
  const key = typeof given === "string" ? parsePem(given) : given;
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
