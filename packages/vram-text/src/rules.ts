export const SHARD_ID_MAX_LENGTH = 256;

/** Longest `modelRef` and `workerId`, in UTF-16 code units. */
export const NAME_MAX_LENGTH = 512;

// Every control character (C0, DEL, C1), and every character that reorders text on display.
const FORBIDDEN = /[\p{Cc}\p{Bidi_Control}]/u;

/**
 * Says what is wrong with a free-text field, or nothing if it is acceptable: a string of 1 to `maxLength` UTF-16 code
 * units without control characters, bidirectional controls or lone surrogates.
 *
 * The answer is a static phrase that completes "`name` must ..."; it never contains the offending text.
 */
export function textProblem(value: unknown, maxLength = NAME_MAX_LENGTH): string | undefined {
  if (typeof value !== "string") return "be a string";
  if (value.length < 1 || value.length > maxLength) return `have 1 to ${maxLength} characters`;
  if (value.includes("\0")) return "contain no NUL character";
  if (FORBIDDEN.test(value)) return "contain no control or bidirectional control character";
  if (!value.isWellFormed()) return "be well-formed Unicode";
  return undefined;
}

/** Says what is wrong with a shard id, or nothing: 1 to 256 characters of `[A-Za-z0-9_-]`. */
export function shardIdProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "be a string";
  return /^[A-Za-z0-9_-]{1,256}$/.test(value)
    ? undefined
    : `have 1 to ${SHARD_ID_MAX_LENGTH} characters of A-Z, a-z, 0-9, "_" and "-"`;
}

/** Says what is wrong with a SHA-256 digest in text, or nothing: exactly 64 lowercase hexadecimal characters. */
export function digestProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "be a string";
  return /^[0-9a-f]{64}$/.test(value)
    ? undefined
    : "be 64 lowercase hexadecimal characters";
}

/** Says what is wrong with the id that names one operation, or nothing: 1 to 128 characters of `[A-Za-z0-9_.:-]`. */
export function correlationIdProblem(value: unknown): string | undefined {
  if (typeof value !== "string") return "be a string";
  return /^[A-Za-z0-9_.:-]{1,128}$/.test(value)
    ? undefined
    : 'have 1 to 128 characters of A-Z, a-z, 0-9, "_", ".", ":" and "-"';
}
