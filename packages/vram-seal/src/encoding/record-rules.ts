import { textProblem } from "vram-text";

/** Says what is wrong with a value, as the end of "`field` must ...", or nothing. */
export type Rule = (value: unknown) => string | undefined;
/** One rule a field: a field without one does not compile. */
export type Rules<T> = { readonly [Field in keyof T]-?: Rule };

export interface FieldProblem {
  /** A name of the schema, or the record itself. */
  readonly field: string;
  readonly expectation: string;
}

const DECIMAL_ID = /^(?:0|[1-9][0-9]{0,19})$/;
const TIMESTAMP = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const U64_MAX = 2n ** 64n - 1n;

export const integer =
  (least: number): Rule =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least ? undefined : `be an integer from ${least} to 2^53 - 1`;
export const oneOf =
  (...allowed: readonly unknown[]): Rule =>
  (value) =>
    allowed.includes(value) ? undefined : `be one of ${JSON.stringify(allowed)}`;
export const matching =
  (pattern: RegExp, expectation: string): Rule =>
  (value) =>
    typeof value === "string" && pattern.test(value) ? undefined : expectation;
export const orNull =
  (rule: Rule): Rule =>
  (value) =>
    value === null ? undefined : rule(value);
export const text: Rule = (value) => textProblem(value);
export const driverId: Rule = (value) =>
  typeof value === "string" && DECIMAL_ID.test(value) && BigInt(value) <= U64_MAX ? undefined : "be a 64-bit number in decimal text";

export const timestamp: Rule = (value) => {
  const atMs = typeof value === "string" && TIMESTAMP.test(value) ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(atMs) && new Date(atMs).toISOString() === value ? undefined : "be a UTC time such as 2000-01-31T23:59:59.999Z";
};

/** A rule for a record inside another: exactly these fields, each in its range. */
export const record =
  <T>(name: string, rules: Rules<T>): Rule =>
  (value) =>
    nested(recordProblem(name, value, rules));

/** A rule for a list of at least one. */
export const listOf =
  (rule: Rule): Rule =>
  (value) =>
    Array.isArray(value) && value.length > 0 ? (value as unknown[]).map(rule).find((problem) => problem !== undefined) : "be a list of at least one";

/**
 * Says what is wrong with a record that came from `JSON.parse`, whose properties are plain data. `partial`: fields may be
 * absent; `open`: there may be others.
 */
export function recordProblem<T>(
  name: string,
  value: unknown,
  rules: Rules<T>,
  fields: "exact" | "partial" | "open" = "exact",
): FieldProblem | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { field: name, expectation: "be an object" };
  let known = 0;
  for (const field of Object.keys(rules) as (string & keyof T)[]) {
    if (!Object.hasOwn(value, field)) {
      if (fields === "partial") continue;
      return { field, expectation: "be present" };
    }
    known += 1;
    const expectation = rules[field]((value as Record<string, unknown>)[field]);
    if (expectation !== undefined) return { field, expectation };
  }
  return fields === "open" || Object.keys(value).length === known ? undefined : { field: name, expectation: "have no other fields" };
}

export function nested(problem: FieldProblem | undefined): string | undefined {
  return problem && `have ${problem.field} ${problem.expectation}`;
}
