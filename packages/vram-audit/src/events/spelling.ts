import { z } from "zod";

/** Of a string without its quotes. */
interface Spelling {
  readonly kind: "string" | "number";
  readonly pattern: string;
}

const spellings = z.registry<Spelling>();

/**
 * Tells for a field how the log spells its values: a text that matches `pattern` is the only spelling of a value that the field accepts. Values whose
 * spelling does not match may be left. A pattern with a group is that of a number, and holds only where JavaScript writes the number the same way.
 */
export function spelled<Field extends z.ZodType>(field: Field, kind: Spelling["kind"], pattern: string): Field {
  spellings.add(field, { kind, pattern });
  return field;
}

/**
 * A regular expression for the JSON of an object with exactly these fields, in this order. A rule over several fields does not show in it.
 * @param captured strings to be groups
 */
export function objectPattern(shape: z.ZodRawShape, captured: readonly string[] = []): string {
  const members = Object.entries(shape).map(([key, field]) => {
    if (!(field instanceof z.ZodOptional)) return `"${key}":${valuePattern(field, captured.includes(key))},`;
    return `(?:"${key}":${valuePattern(field.unwrap(), false)},)?`;
  });
  return `\\{${members.join("").replace(/,$/, "")}\\}`;
}

function valuePattern(field: z.core.$ZodType, isCaptured: boolean): string {
  if (field instanceof z.ZodObject) return objectPattern(field.shape);
  const spelling = spellings.get(field);
  if (spelling === undefined) throw new Error("the field has no spelling");
  const pattern = isCaptured ? `(${spelling.pattern})` : spelling.pattern;
  return spelling.kind === "string" ? `"${pattern}"` : pattern;
}
