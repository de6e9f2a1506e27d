import { NAME_MAX_LENGTH, correlationIdProblem, digestProblem, textProblem } from "vram-text";
import { z } from "zod";
import { newCorrelationId } from "../correlation.js";
import { VramError } from "../errors.js";
import { ownFields, readGiven } from "../given.js";

const GPU_UUID = /^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DEVICE = "be a device ordinal or a UUID of the form GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

export const byteCount = (minimum: number) =>
  z.int(`be an integer number of bytes of at least ${minimum}`).min(minimum, `be at least ${minimum} bytes`);

export const checked = (problem: (value: unknown) => string | undefined) =>
  z.custom<string>((value) => problem(value) === undefined, {
    error: (issue) => problem(issue.input),
  });

export const name = checked((value) => textProblem(value, NAME_MAX_LENGTH));
export const digest = checked(digestProblem);
export const correlationId = checked(correlationIdProblem).default(newCorrelationId);
export const callable = <T>() => z.custom<T>((value) => typeof value === "function", "be a function");
export const abortSignal = z.custom<AbortSignal>((value) => value instanceof AbortSignal, "be an AbortSignal");

/** An object with these methods, used as given and never copied. */
export const service = <T>(...methods: string[]) =>
  z.custom<T>(
    (value) =>
      typeof value === "object" &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function"),
    `have the methods ${methods.join(", ")}`,
  );

/** Every option is a field of its own afterwards, if undefined: none is looked up in an Object.prototype that was tampered with. */
export const options = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const absent = Object.fromEntries(Object.keys(shape).map((name) => [name, undefined]));
  const known = z.strictObject(shape, "be an object with known options only");
  return z.preprocess(ownFields, known.transform((given): typeof given => ({ ...absent, ...given })));
};

export const deviceSelector = z.union([z.int(DEVICE).min(0, DEVICE).max(1023, DEVICE), z.string().regex(GPU_UUID, DEVICE)], DEVICE);

/** @throws VramError with this code, naming the option */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: "INVALID_CONFIG" | "INVALID_INPUT",
): z.output<Schema> {
  const result = readGiven("options", () => schema.safeParse(value), code);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = ["options", ...(issue?.path ?? [])].join(".");
  throw new VramError(code, `${path} must ${expectationIn(issue)}`, { details: { argument: path } });
}

export function expectationIn(issue: z.core.$ZodIssue | undefined): string {
  return issue?.code === "unrecognized_keys" ? "have known options only" : (issue?.message ?? "be valid");
}
