import type { AuditEntry, Severity } from "../events/line.js";
import { messageOf } from "./message.js";

/** A value of OTLP in JSON; `{}` is null. 64-bit integers are decimal text. */
export type OtlpValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } }
  | { readonly kvlistValue: { readonly values: readonly OtlpAttribute[] } }
  | Readonly<Record<string, never>>;

/** A key with its value. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

/** A log record, as OTLP has it in JSON. */
export interface OtlpLogRecord {
  /** Nanoseconds since 1970, as decimal text. */
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: OtlpValue;
  readonly attributes: readonly OtlpAttribute[];
}

/** One line of an OTLP file with one log record. */
export interface OtlpLogs {
  readonly resourceLogs: readonly [
    {
      readonly resource: { readonly attributes: readonly OtlpAttribute[] };
      readonly scopeLogs: readonly [{ readonly scope: { readonly name: string }; readonly logRecords: readonly [OtlpLogRecord] }];
    },
  ];
}

/**
 * INFO, WARN and ERROR. A critical event is no FATAL, which is a crash: a check did what it is for, or a wipe failed,
 * and the process goes on to release what it holds.
 */
const SEVERITY_NUMBER: Readonly<Record<Severity, number>> = { info: 9, warning: 13, critical: 17 };

/** The only numbers that are no integers: JSON does not tell 2 from 2.0, and an attribute keeps its type. */
const DOUBLES: ReadonlySet<string> = new Set(["durationMs"]);

/**
 * The entry as an OpenTelemetry log record, in the shape of an OTLP file's line. Attributes are those of the semantic
 * conventions for CloudEvents and log records, and the event's data under `vram.`; of a newer version's type the data is
 * in `log.record.original` alone, which always is the line.
 */
export function toOtel(entry: AuditEntry): OtlpLogs {
  const resource = { attributes: [text("service.name", "vram-residency"), text("service.instance.id", entry.envelope.source)] };
  return { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: "vram-audit" }, logRecords: [toRecord(entry)] }] }] };
}

function toRecord(entry: AuditEntry): OtlpLogRecord {
  const { line, envelope, event } = entry;
  const { id, source, specversion, subject, correlationid, type, time, severity, sequence, prevhash } = envelope;
  const nanoseconds = (BigInt(Date.parse(time)) * 1_000_000n).toString();
  return {
    timeUnixNano: nanoseconds,
    observedTimeUnixNano: nanoseconds,
    severityNumber: SEVERITY_NUMBER[severity],
    severityText: severity,
    eventName: type,
    body: { stringValue: messageOf(entry) },
    attributes: [
      text("cloudevents.event_id", id),
      text("cloudevents.event_source", source),
      text("cloudevents.event_spec_version", specversion),
      text("cloudevents.event_type", type),
      ...(subject === undefined ? [] : [text("cloudevents.event_subject", subject)]),
      text("log.record.original", line),
      text("log.record.uid", id),
      { key: "vram.audit.sequence", value: { intValue: String(Number(sequence)) } },
      text("vram.audit.prevhash", prevhash),
      ...(correlationid === undefined ? [] : [text("vram.audit.correlation_id", correlationid)]),
      ...fields(event?.data ?? {}, "vram."),
    ],
  };
}

function text(key: string, stringValue: string): OtlpAttribute {
  return { key, value: { stringValue } };
}

function fields(data: object, prefix = ""): OtlpAttribute[] {
  return Object.entries(data).map(([name, value]: [string, unknown]) => ({ key: `${prefix}${snakeCase(name)}`, value: valueOf(name, value) }));
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function valueOf(name: string, value: unknown): OtlpValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return DOUBLES.has(name) ? { doubleValue: value } : { intValue: String(value) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((element: unknown) => valueOf(name, element)) } };
  return typeof value === "object" && value !== null ? { kvlistValue: { values: fields(value) } } : {};
}
