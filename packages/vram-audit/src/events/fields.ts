import { correlationIdProblem, digestProblem, shardIdProblem, textProblem } from "vram-text";
import { z } from "zod";
import { spelled } from "./spelling.js";

const TEXT_MAX_BYTES = 1024;
/** Keeps a line below the readers' limit whatever its strings hold. */
export const ENTRIES_MAX = 128;
/** Damaged blocks that an event names, and tensors that it names of each; it counts all. */
export const DAMAGED_BLOCKS_MAX = 64;
export const DAMAGED_TENSORS_MAX = 4;
/** More live shards than this are named by several events. */
export const LIVE_SHARDS_MAX = 1024;
/** Full subtrees of a tree of 2^53 - 1 lines. */
export const SUBTREES_MAX = 53;

function byteLengthProblem(value: unknown): string | undefined {
  const problem = textProblem(value, TEXT_MAX_BYTES);
  if (problem !== undefined) return problem;
  return Buffer.byteLength(String(value)) <= TEXT_MAX_BYTES ? undefined : `have at most ${TEXT_MAX_BYTES} bytes`;
}

/** A string under one of the shared text rules; the message completes "`field` must ...". */
function ruled(problem: (value: unknown) => string | undefined) {
  return z.custom<string>((value) => problem(value) === undefined, { error: (issue) => problem(issue.input) });
}

/** The pattern of a word that holds nothing special but dots. */
function verbatim(word: string): string {
  return word.replaceAll(".", String.raw`\.`);
}

/** @param pattern of ASCII characters that JSON does not escape, from `^` to `$` */
export function matching(pattern: RegExp, expectation: string) {
  const field = ruled((value) => (typeof value === "string" && pattern.test(value) ? undefined : expectation));
  return spelled(field, "string", pattern.source.slice(1, -1));
}

export const text = spelled(ruled(byteLengthProblem), "string", `[ !#-\\[\\]-~]{1,${TEXT_MAX_BYTES}}`);
/** A worker id or model reference: these have the limit of the packages that take them. */
export const name = ruled((value) => textProblem(value));
export const shardId = spelled(ruled(shardIdProblem), "string", "[A-Za-z0-9_-]{1,256}");
export const digest = spelled(ruled(digestProblem), "string", "[0-9a-f]{64}");
export const correlationId = spelled(ruled(correlationIdProblem), "string", "[A-Za-z0-9_.:-]{1,128}");
export const keyId = matching(/^[0-9a-f]{16}$/, "be 16 lowercase hexadecimal characters");
export const instanceId = matching(/^[0-9a-f]{32}$/, "be 32 lowercase hexadecimal characters");
export const driverId = matching(/^(?:0|[1-9][0-9]{0,19})$/, "be a 64-bit number in decimal text");
export const errorCode = matching(/^[A-Z][A-Z0-9_]{0,63}$/, "be an error code");
export const publicKey = matching(/^[A-Za-z0-9+/]{43}=$/, "be 32 bytes in base64");
export const originName = matching(
  /^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$/,
  'have 1 to 255 characters of A-Z, a-z, 0-9, ".", "_", "/" and "-" and begin with a letter or digit',
);
/** RFC 3986 characters only; CloudEvents asks for a non-empty URI reference. */
export const source = matching(/^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]{1,8192}$/, "be a URI reference of 1 to 8192 characters");

export const count = spelled(
  z.int("be an integer from 0 to 2^53 - 1").min(0, "be an integer from 0 to 2^53 - 1"),
  "number",
  "(?:0|[1-9][0-9]{0,14})",
);
export const driverResult = z.int("be an integer");
export const flag = z.boolean("be true or false");
export const milliseconds = spelled(
  z.number("be a finite number from 0").min(0, "be a finite number from 0"),
  "number",
  String.raw`([0-9]{1,15}(?:\.[0-9]{1,25})?)`,
);

export function exactly<const Value extends string>(value: Value) {
  return spelled(z.literal(value), "string", verbatim(value));
}

export function oneOf<const Values extends readonly string[]>(...values: Values) {
  return spelled(z.enum(values, `be one of ${JSON.stringify(values)}`), "string", `(?:${values.map(verbatim).join("|")})`);
}

/** An object with exactly these fields. */
export function record<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, "be an object with exactly the specified fields");
}

export function list<Element extends z.ZodType>(element: Element, most = ENTRIES_MAX) {
  return z.array(element, "be an array").max(most, `have at most ${most} entries`).readonly();
}
