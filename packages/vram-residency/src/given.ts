import { VramError } from "./errors.js";

/**
 * Runs what reads a caller's object, whose getters and traps may throw anything: that is the caller's error.
 * @throws VramError `code`
 */
export function readGiven<T>(argument: string, read: () => T, code: "INVALID_INPUT" | "INVALID_CONFIG" = "INVALID_INPUT"): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof VramError) throw error;
    throw new VramError(code, `${argument} must be readable`, { details: { argument }, cause: error });
  }
}

/** The object's own fields, each read once, in an object that inherits nothing; a list or what is no object as it is. */
export function ownFields<T>(value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.assign(Object.create(null) as T & object, value);
}
