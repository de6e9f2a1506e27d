import { types } from "node:util";
import { base64Length, decodeBase64 } from "../encoding/base64.js";
import { STATEMENT_MAX_BYTES } from "./parse-statement.js";
import { MAC_BYTES } from "./seal-mac.js";
import type { Seal } from "./seal-statement.js";

export interface SealBytes {
  readonly statement: Uint8Array;
  readonly mac: Uint8Array;
}

/**
 * Reads the bytes of a presented seal, or nothing if it is anything but an object with exactly two own data properties
 * `statement` and `mac`, both canonical base64 of an allowed length. Runs no code of the object: no getter, no proxy trap.
 */
export function readSealShape(seal: unknown): SealBytes | undefined {
  if (typeof seal !== "object" || seal === null || types.isProxy(seal)) return undefined;
  if (Reflect.ownKeys(seal).length !== 2) return undefined;
  const statement = readField(seal, "statement", base64Length(STATEMENT_MAX_BYTES));
  const mac = readField(seal, "mac", base64Length(MAC_BYTES));
  if (statement === undefined || mac === undefined) return undefined;
  if (statement.length < 1 || statement.length > STATEMENT_MAX_BYTES || mac.length !== MAC_BYTES) return undefined;
  return { statement, mac };
}

function readField(seal: object, name: keyof Seal, maxLength: number): Uint8Array | undefined {
  const property = Object.getOwnPropertyDescriptor(seal, name);
  // `Object.hasOwn`, because a getter's descriptor inherits from an Object.prototype that may have been tampered with.
  if (property === undefined || !Object.hasOwn(property, "value")) return undefined;
  const text: unknown = property.value;
  return typeof text === "string" && text.length <= maxLength ? decodeBase64(text) : undefined;
}
