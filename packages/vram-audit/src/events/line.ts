import { randomUUID } from "node:crypto";
import { z } from "zod";
import { correlationId, digest, exactly, matching, oneOf, record, source, text } from "./fields.js";
import { sourceOf, subjectOf } from "./parse-event.js";
import { type KnownEvent, KNOWN_TYPES, knownEventSchema } from "./schema.js";
import { formatSequence } from "./sequence.js";

/** Longest line a log may hold, in bytes without the newline. */
export const LINE_MAX_BYTES = 1_048_576;

/** What the first line has where the others have the hash of the line before. */
export const GENESIS = "0".repeat(64);

const NUL = 0x00;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
export const timestamp = matching(z.regexes.datetime({ precision: 3 }), "be a UTC time with milliseconds");

/** From the least to the gravest. */
export const SEVERITIES = ["info", "warning", "critical"] as const;
/** How grave an event is. @useDeclaredType */
export type Severity = (typeof SEVERITIES)[number];

/** The CloudEvents envelope of every line, also of types this version does not know. */
export const envelopeSchema = record({
  specversion: exactly("1.0"),
  id: text,
  source,
  type: z.string().regex(/^vram(?:\.[a-z][a-z0-9_]*)+$/),
  subject: text.optional(),
  correlationid: correlationId.optional(),
  time: timestamp,
  elapsedms: matching(/^(?:0|[1-9][0-9]{0,15})$/, "be a number in decimal text"),
  severity: oneOf(...SEVERITIES),
  sequence: matching(/^[0-9]{16}$/, "be 16 digits"),
  prevhash: digest,
  data: z.record(z.string(), z.unknown()),
});

/** The members that every line has. */
export type Envelope = z.infer<typeof envelopeSchema>;

type Attributes = Omit<Envelope, "type" | "severity" | "subject" | "source" | "data">;
/** A line of a known type. Narrow by `type`. */
export type StoredEvent = KnownEvent & Attributes & { readonly source: string };

/** A line that was read from a log, of any type. */
export interface AuditEntry {
  /** The line itself, without its newline. */
  readonly line: string;
  readonly envelope: Envelope;
  /** Undefined for a type of a newer version, whose data is not judged. */
  readonly event: StoredEvent | undefined;
}

/** When an event was handed to the log, by a clock that may be set and by one that may not. */
export interface Moment {
  readonly time: Date;
  /** Milliseconds since the session's writer opened the log, an integer. */
  readonly elapsedMs: number;
}

/** An event as it will be written, but for its place in the chain. */
export interface DraftLine {
  readonly head: string;
  readonly data: string;
  readonly byteLength: number;
}

/** Fixes everything about a line that does not depend on the lines before it. */
export function draftLine(event: KnownEvent, origin: string, { time, elapsedMs }: Moment): DraftLine {
  const { type, severity, correlationid } = event;
  const [source, subject] = [sourceOf(event, origin), subjectOf(event)];
  const times = { time: time.toISOString(), elapsedms: String(elapsedMs) };
  const attributes = { specversion: "1.0", id: randomUUID(), source, type, subject, correlationid, ...times, severity };
  const head = JSON.stringify(attributes).slice(0, -1);
  const data = JSON.stringify(event.data);
  return { head, data, byteLength: Buffer.byteLength(head) + PLACE_BYTES + Buffer.byteLength(data) };
}

/** The bytes of a line, without its newline. */
export function placeLine({ head, data }: DraftLine, sequence: number, prevhash: string): Buffer {
  return Buffer.from(placed(head, data, sequence, prevhash));
}

const PLACE_BYTES = Buffer.byteLength(placed("", "", 0, GENESIS));

function placed(head: string, data: string, sequence: number, prevhash: string): string {
  return `${head},"sequence":"${formatSequence(sequence)}","prevhash":"${prevhash}","data":${data}}`;
}

/** Why the bytes of a line are not a line of this format, whatever its neighbours are. */
export type LineFault = "json" | "spelling" | "schema";

export type ParsedLine =
  | { readonly fault: LineFault; readonly envelope?: undefined; readonly event?: undefined }
  | { readonly fault?: undefined; readonly envelope: Envelope; readonly event: StoredEvent | undefined };

/** Reads the bytes of one line. `event` is undefined for a type of a newer version, whose data is not judged. */
export function parseLine(bytes: Uint8Array): ParsedLine {
  const parsed = bytes.length > LINE_MAX_BYTES ? undefined : parseJson(bytes);
  if (parsed === undefined) return { fault: "json" };
  // Shows white space, another spelling of a number or string, and duplicate keys, which JSON.parse hides.
  if (JSON.stringify(parsed.value) !== parsed.text) return { fault: "spelling" };
  const envelope = envelopeSchema.safeParse(parsed.value);
  if (!envelope.success) return { fault: "schema" };
  const { type, severity, subject, source: from, data, ...attributes } = envelope.data;
  if (!KNOWN_TYPES.has(type)) return { envelope: envelope.data, event: undefined };
  const known = knownEventSchema.safeParse({ type, severity, data, source: from, ...(subject === undefined ? {} : { subject }) });
  return known.success ? { envelope: envelope.data, event: { ...known.data, source: from, ...attributes } } : { fault: "schema" };
}

/** JSON of the log never holds NUL; blocks that were never written do. */
export function holdsUnwrittenBytes(bytes: Uint8Array): boolean {
  return bytes.includes(NUL);
}

function parseJson(bytes: Uint8Array): { readonly text: string; readonly value: unknown } | undefined {
  try {
    const decoded = utf8.decode(bytes);
    return { text: decoded, value: JSON.parse(decoded) as unknown };
  } catch {
    return undefined;
  }
}
