import { types } from "node:util";
import { invalidInput } from "../seal-error.js";

/** Deeper values are refused, and with them cycles. */
const MAX_DEPTH = 64;
/** Text that JSON writes as it is: printable ASCII but for the quotation mark and the backslash. */
const UNESCAPED = /^[ !#-[\]-~]*$/;

/**
 * The canonical JSON text of a value (RFC 8785, JCS).
 *
 * Strict where `JSON.stringify` is lenient: refuses what JSON cannot say (non-finite numbers, undefined, functions, symbols,
 * bigints, lone surrogates, holes), everything but plain objects and arrays with plain data properties, and more than
 * 64 levels. Nothing of the value is called: no getter, no `toJSON`, no proxy trap.
 *
 * @throws SealError `INVALID_INPUT`
 */
export function canonicalize(value: unknown): string {
  return valueText(value, 0);
}

/** The value whose canonical JSON these bytes are; undefined for any others. */
export function parseCanonical(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return Buffer.from(canonicalize(value), "utf8").equals(bytes) ? value : undefined;
  } catch {
    return undefined;
  }
}

function valueText(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw invalidInput("value", `have at most ${MAX_DEPTH} levels`);
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw invalidInput("value", "contain finite numbers only");
      return String(value);
    case "string":
      return stringText(value);
    case "object":
      if (value === null) return "null";
      if (types.isProxy(value)) throw invalidInput("value", "contain no proxy");
      return Array.isArray(value) ? arrayText(value, depth) : objectText(value, depth);
    case "undefined":
    case "bigint":
    case "symbol":
    case "function":
      throw invalidInput("value", `contain no ${typeof value}`);
  }
}

function stringText(text: string): string {
  if (UNESCAPED.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw invalidInput("value", "contain well-formed Unicode only");
  return JSON.stringify(text);
}

function arrayText(array: readonly unknown[], depth: number): string {
  if (Object.getPrototypeOf(array) !== Array.prototype) throw invalidInput("value", "contain plain arrays only");
  if (Reflect.ownKeys(array).length !== array.length + 1) throw invalidInput("value", "contain arrays without holes or names");
  const items: string[] = [];
  for (let index = 0; index < array.length; index++) {
    items.push(valueText(ownData(array, String(index)), depth + 1));
  }
  return `[${items.join(",")}]`;
}

function objectText(object: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw invalidInput("value", "contain plain objects only");
  const names: string[] = [];
  for (const key of Reflect.ownKeys(object)) {
    if (typeof key === "symbol") throw invalidInput("value", "contain no symbol");
    names.push(key);
  }
  // The default order of strings is by UTF-16 code unit, as RFC 8785 §3.2.3 wants it.
  names.sort();
  let members = "";
  for (const name of names) {
    members += `${members === "" ? "" : ","}${stringText(name)}:${valueText(ownData(object, name), depth + 1)}`;
  }
  return `{${members}}`;
}

function ownData(object: object, name: string): unknown {
  const property = Object.getOwnPropertyDescriptor(object, name);
  // `Object.hasOwn`, because a descriptor inherits from an Object.prototype that may have been tampered with.
  if (property === undefined || !Object.hasOwn(property, "value") || property.enumerable !== true) {
    throw invalidInput("value", "contain enumerable data properties only");
  }
  return property.value;
}
