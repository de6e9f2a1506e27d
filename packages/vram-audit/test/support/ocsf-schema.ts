import table from "../vectors/ocsf-1.8.0.json" with { type: "json" };

interface Rules {
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
  readonly oneOf?: readonly string[];
  /** Of an enumeration, each value's name. */
  readonly captions?: Readonly<Record<string, Readonly<Record<string, string | undefined>> | undefined>>;
}

type Fields = Readonly<Record<string, unknown>>;

const classes: Readonly<Record<string, (Rules & { readonly name: string; readonly category_uid: number }) | undefined>> = table.classes;
const objects: Readonly<Record<string, Rules | undefined>> = table.objects;
const objectOf: Readonly<Record<string, string | undefined>> = table.attributes;

/** What the table of OCSF 1.8.0 finds wrong with an event, one line each. */
export function ocsfProblems(event: Fields): string[] {
  const rules = classes[String(event["class_uid"])];
  if (rules === undefined) return [`class_uid: no class ${String(event["class_uid"])}`];
  const merged: Rules = {
    required: [...table.event.required, ...(rules.required ?? [])],
    optional: [...table.event.optional, ...(rules.optional ?? [])],
    captions: { ...table.event.captions, ...rules.captions },
  };
  const expected = {
    category_uid: rules.category_uid,
    class_name: rules.name,
    type_uid: Number(event["class_uid"]) * 100 + Number(event["activity_id"]),
  };
  return [
    ...problemsIn("", event, merged),
    ...Object.entries(expected).flatMap(([name, value]) => (event[name] === value ? [] : [`${name}: is not ${value}`])),
    ...table.event.types.integer.flatMap((name) => (name in event && !Number.isSafeInteger(event[name]) ? [`${name}: is no integer`] : [])),
    ...table.event.types.string.flatMap((name) => (name in event && typeof event[name] !== "string" ? [`${name}: is no string`] : [])),
  ];
}

function problemsIn(path: string, fields: Fields, { required = [], optional = [], oneOf, captions = {} }: Rules): string[] {
  const known = new Set([...required, ...optional]);
  return [
    ...required.filter((name) => fields[name] === undefined).map((name) => `${path}${name}: is missing`),
    ...(oneOf?.some((name) => fields[name] !== undefined) === false ? [`${path}: has none of ${oneOf.join(", ")}`] : []),
    ...Object.keys(fields).filter((name) => !known.has(name)).map((name) => `${path}${name}: is no attribute`),
    ...Object.entries(captions).flatMap(([name, values = {}]) => enumProblems(path, fields, name, values)),
    ...Object.entries(fields).flatMap(([name, value]) => objectProblems(`${path}${name}.`, objectOf[name], value)),
  ];
}

/** A value is one of the list, or 99 with a name of its own beside it. A name beside a listed value is the list's. */
function enumProblems(path: string, fields: Fields, name: string, values: Readonly<Record<string, string | undefined>>): string[] {
  if (fields[name] === undefined) return [];
  const value = JSON.stringify(fields[name]);
  const sibling = fields[name === "activity_id" ? "activity_name" : name.replace(/_id$/, "")];
  if (value === "99") return typeof sibling === "string" && sibling !== "" ? [] : [`${path}${name}: 99 without a name`];
  const caption = values[value];
  if (caption === undefined) return [`${path}${name}: no value ${value}`];
  return sibling === undefined || sibling === caption ? [] : [`${path}${name}: ${value} is not ${JSON.stringify(sibling)}`];
}

function objectProblems(path: string, object: string | undefined, value: unknown): string[] {
  const rules = object === undefined ? undefined : objects[object];
  if (rules === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((element) => (typeof element === "object" && element !== null ? problemsIn(path, { ...element }, rules) : [`${path} is no object`]));
}
