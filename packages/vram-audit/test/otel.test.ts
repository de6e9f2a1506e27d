import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type OtlpLogRecord, toOtel } from "../src/index.js";
import { ENTRIES, entryOf, NEWER_ENTRY } from "./support/entries.js";
import { violated } from "./support/events.js";

const int64 = z.string().regex(/^(?:0|-?[1-9][0-9]{0,18})$/);
const value: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: int64 }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(value) }) }),
    z.strictObject({ kvlistValue: z.strictObject({ values: attributes }) }),
    z.strictObject({}),
  ]),
);
const attributes = z
  .array(z.strictObject({ key: z.string().regex(/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/), value }))
  .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, "a key is there twice");
/** The messages LogsData, ResourceLogs, ScopeLogs and LogRecord of the OpenTelemetry protocol 1.x in JSON, as far as an export uses them. */
const logsData = z.strictObject({
  resourceLogs: z.tuple([
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeLogs: z.tuple([
        z.strictObject({
          scope: z.strictObject({ name: z.string() }),
          logRecords: z.tuple([
            z.strictObject({
              timeUnixNano: int64,
              observedTimeUnixNano: int64,
              severityNumber: z.int().min(1).max(24),
              severityText: z.string(),
              eventName: z.string(),
              body: value,
              attributes,
            }),
          ]),
        }),
      ]),
    }),
  ]),
});

function recordOf(entry: Parameters<typeof toOtel>[0]): OtlpLogRecord {
  return toOtel(entry).resourceLogs[0].scopeLogs[0].logRecords[0];
}

function attributeOf(record: OtlpLogRecord, key: string): unknown {
  return record.attributes.find((attribute) => attribute.key === key)?.value;
}

describe("OpenTelemetry log records", () => {
  it.each([...ENTRIES, NEWER_ENTRY])("have the shape of OTLP in JSON: $envelope.type, line $envelope.sequence", (entry) => {
    const { error } = logsData.safeParse(JSON.parse(JSON.stringify(toOtel(entry))));
    expect(error).toBeUndefined();
  });

  it("carry time, severity, name and the line, of a newer version's type too", () => {
    const numbers = { info: 9, warning: 13, critical: 17 };
    for (const entry of [...ENTRIES, NEWER_ENTRY]) {
      const record = recordOf(entry);
      const { type, severity, id, source } = entry.envelope;
      expect(record).toMatchObject({ timeUnixNano: "1767323045678000000", eventName: type, severityText: severity, severityNumber: numbers[severity] });
      expect(attributeOf(record, "log.record.original")).toEqual({ stringValue: entry.line });
      expect(attributeOf(record, "cloudevents.event_id")).toEqual({ stringValue: id });
      expect(attributeOf(record, "cloudevents.event_source")).toEqual({ stringValue: source });
    }
  });

  it("carry the correlation id", () => {
    expect(attributeOf(recordOf(entryOf({ ...violated(), correlationid: "request:7" })), "vram.audit.correlation_id")).toEqual({ stringValue: "request:7" });
    expect(attributeOf(recordOf(entryOf(violated())), "vram.audit.correlation_id")).toBeUndefined();
  });

  it("carry the data as attributes of one type each", () => {
    for (const entry of ENTRIES) {
      const record = recordOf(entry);
      for (const name of Object.keys(entry.envelope.data)) {
        expect(attributeOf(record, `vram.${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`)).toBeDefined();
      }
    }
    const violation = { kvlistValue: { values: [{ key: "rule", value: { stringValue: "backend" } }, { key: "reason", value: { stringValue: 'the backend is "custom"' } }] } };
    const record = recordOf(entryOf(violated()));
    expect(attributeOf(record, "vram.violations")).toEqual({ arrayValue: { values: [violation] } });
    expect(attributeOf(record, "vram.shard_id")).toEqual({});
    const verified = ({ durationMs }: { durationMs: number }) =>
      recordOf(entryOf({ type: "vram.shard.verified", severity: "info", data: { shardId: "a", digest: "ab".repeat(32), vramBytes: 2 ** 53 - 1, durationMs } }));
    expect([2, 2.5].map((durationMs) => attributeOf(verified({ durationMs }), "vram.duration_ms"))).toEqual([{ doubleValue: 2 }, { doubleValue: 2.5 }]);
    expect(attributeOf(verified({ durationMs: 1 }), "vram.vram_bytes")).toEqual({ intValue: "9007199254740991" });
    expect(recordOf(NEWER_ENTRY).attributes.filter(({ key }) => key.startsWith("vram.")).map(({ key }) => key)).toEqual(["vram.audit.sequence", "vram.audit.prevhash"]);
  });
});
