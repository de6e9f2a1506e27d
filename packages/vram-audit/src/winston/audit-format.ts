import { format, type Logform } from "winston";
import { z } from "zod";
import { count } from "../events/fields.js";
import { timestamp } from "../events/line.js";
import { knownEventSchema } from "../events/schema.js";

/** The level that winston goes by; anyone can write another one into `level`. */
const LEVEL = Symbol.for("level");

/** What a mirror logs: the event's type is the message. */
const entrySchema = z.object({ message: z.string(), audit: z.looseObject({ sequence: count, time: timestamp }) });

const auditEventsOnly = format((info) => {
  const level = info[LEVEL];
  const entry = entrySchema.safeParse(info);
  if (typeof level !== "string" || !entry.success) return false;
  const { sequence, time, ...members } = entry.data.audit;
  const known = knownEventSchema.safeParse({ ...members, type: entry.data.message });
  if (!known.success) return false;
  const { type, ...event } = known.data;
  return { [LEVEL]: level, level, message: type, audit: { sequence, time, ...event } };
});

/**
 * One JSON line for an audit event, with the fields of its type's schema and no others. An entry that is no audit event,
 * or has a field that the schema does not know, is left out whole: its text could hold a token, a path or an address.
 */
export function auditFormat(): Logform.Format {
  return format.combine(auditEventsOnly(), format.json());
}
