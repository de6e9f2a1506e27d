import { resolve } from "node:path";
import { z } from "zod";
import { name } from "../options/rules.js";
import { nearest } from "../nearest.js";

const PATH_MAX_LENGTH = 4096;
const SECRET = "have exactly one of file and credential";

/** An object of these fields alone; a field that is not one of them is named, with the one that was probably meant. */
export const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? knownOnly(issue.keys, Object.keys(shape)) : "be an object"),
  });

/** A key may be anything; it is repeated only where it can carry nothing but a slip of the pen. */
function knownOnly(unknown: readonly string[], known: readonly string[]): string {
  const word = unknown.find((key) => /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(key));
  if (word === undefined) return `have known fields only: ${known.join(", ")}`;
  const meant = nearest(word, known);
  return `not have the field "${word}"; ${meant === undefined ? `there are ${known.join(", ")}` : `did you mean "${meant}"?`}`;
}

/** A path, absolute afterwards. */
export const pathIn = (folder: string) =>
  z
    .string("be a path")
    .min(1, "be a path")
    .max(PATH_MAX_LENGTH, `be a path of at most ${PATH_MAX_LENGTH} characters`)
    .refine((path) => !path.includes("\0"), "be a path without NUL characters")
    .transform((path) => resolve(folder, path));

/** A secret's place: a private file, or a credential of the systemd unit. */
export type SecretPlace = { readonly file: string } | { readonly credential: string };

export const secretPlace = (folder: string) =>
  section({ file: pathIn(folder).exactOptional(), credential: name.exactOptional() }).transform(({ file, credential }, context): SecretPlace => {
    if (file !== undefined && credential === undefined) return { file };
    if (credential !== undefined && file === undefined) return { credential };
    context.addIssue({ code: "custom", message: SECRET });
    return z.NEVER;
  });

export const wholeNumber = (minimum: number, maximum: number) => {
  const expectation = `be a whole number from ${minimum} to ${maximum}`;
  return z.int(expectation).min(minimum, expectation).max(maximum, expectation);
};
