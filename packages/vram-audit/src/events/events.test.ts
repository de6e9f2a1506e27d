import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENTS, sealed, verified } from "../../test/support/events.js";
import { AuditError } from "../audit-error.js";
import { draftLine, GENESIS, parseLine, placeLine } from "./line.js";
import { parseEvent } from "./parse-event.js";
import type { AuditEvent } from "./schema.js";

function lineOf(event: AuditEvent): string {
  return placeLine(draftLine(event, "origin", { time: new Date(0), elapsedMs: 5 }), 12, GENESIS).toString("utf8");
}

function refusal(value: unknown): AuditError {
  try {
    parseEvent(value);
  } catch (error) {
    if (error instanceof AuditError) return error;
  }
  throw new Error("the event was accepted");
}

/** The one field that an event may come without. */
const OPTIONAL = "damage";

describe("the vocabulary", () => {
  it.each(EVENTS)("writes and reads $type", (event) => {
    const { fault, event: read } = parseLine(Buffer.from(lineOf(parseEvent(event))));
    expect(fault).toBeUndefined();
    expect(read).toMatchObject({ ...event, specversion: "1.0", sequence: "0000000000000012", time: "1970-01-01T00:00:00.000Z", elapsedms: "5" });
  });

  it.each(EVENTS)("needs every field of $type, and no other", (event) => {
    for (const field of Object.keys(event.data).filter((name) => name !== OPTIONAL)) {
      const data = Object.fromEntries(Object.entries(event.data).filter(([name]) => name !== field));
      expect(refusal({ ...event, data }).details["argument"]).toContain("event.data");
    }
    expect(refusal({ ...event, data: { ...event.data, extra: 1 } }).code).toBe("INVALID_INPUT");
    expect(refusal({ ...event, extra: 1 }).code).toBe("INVALID_INPUT");
    expect(refusal({ ...event, severity: "debug" }).details["argument"]).toBe("event.severity");
  });

  it.each([undefined, null, 7, [], {}, { type: "vram.audit.closed", severity: "info", data: {} }])("refuses %j", (value) => {
    expect(refusal(value).code).toBe("INVALID_INPUT");
  });

  it("ties a deallocation's severity to the wipe", () => {
    const [event] = EVENTS.filter(({ type }) => type === "vram.shard.deallocated");
    expect(refusal({ ...event, severity: "critical" }).details["argument"]).toBe("event.severity");
  });

  it.each([Number.NaN, Infinity, -1, 0.5, 2 ** 53])("refuses the byte count %d", (vramBytes) => {
    const event = sealed("a");
    expect(refusal({ ...event, data: { ...event.data, vramBytes } }).details["argument"]).toBe("event.data.vramBytes");
  });

  it("IV-005 test_null_byte_rejection refuses control characters in every string, without echoing them", () => {
    for (const event of EVENTS) {
      for (const [field, value] of Object.entries(event.data)) {
        if (typeof value !== "string") continue;
        for (const bad of ["\0", "\u001b[31m", "\u0085", "\u202e", "\ud800"]) {
          const error = refusal({ ...event, data: { ...event.data, [field]: `zz${bad}` } });
          expect(error.code).toBe("INVALID_INPUT");
          expect(error.message).not.toContain("zz");
        }
      }
    }
  });

  it("counts the limit of a free text in bytes", () => {
    const event = { ...verified("a"), subject: "é".repeat(512) };
    expect(parseEvent(event).subject).toBe(event.subject);
    expect(refusal({ ...event, subject: "é".repeat(513) }).details["argument"]).toBe("event.subject");
  });

  it("copies what it was given", () => {
    const event = sealed("a");
    const parsed = parseEvent(event);
    event.data.shardId = "b";
    expect(parsed.data).toMatchObject({ shardId: "a" });
  });

  it("names worker and shard the CloudEvents way", () => {
    const worker = EVENTS.find(({ type }) => type === "vram.worker.stopped");
    if (worker === undefined) throw new Error("the event is missing");
    expect(JSON.parse(lineOf(worker))).toMatchObject({ source: "urn:vram:worker:w%C3%B6rker%207" });
    expect(JSON.parse(lineOf(verified("a")))).toMatchObject({ source: "origin", subject: "a" });
    expect(JSON.parse(lineOf({ ...verified("a"), source: "urn:x", subject: "b" }))).toMatchObject({ source: "urn:x", subject: "b" });
  });
});

describe("a correlation id", () => {
  it("is written and read", () => {
    const { event, envelope } = parseLine(Buffer.from(lineOf(parseEvent({ ...verified("a"), correlationid: "request:7" }))));
    expect([event?.correlationid, envelope?.correlationid]).toEqual(["request:7", "request:7"]);
    expect(lineOf(verified("a"))).not.toContain("correlationid");
  });

  it.each(["", "a b", "a".repeat(129), null])("is refused if it is %j", (correlationid) => {
    expect(refusal({ ...verified("a"), correlationid }).details["argument"]).toBe("event.correlationid");
    const line = JSON.stringify({ ...(JSON.parse(lineOf(verified("a"))) as object), correlationid });
    expect(parseLine(Buffer.from(line)).fault).toBe("schema");
  });
});

describe("reading a line", () => {
  const line = lineOf(verified("a", 1.5));

  it.each([
    ["json", line.slice(0, -1)],
    ["json", `${line},`],
    ["spelling", ` ${line}`],
    ["spelling", line.replace('"data":{', '"data": {')],
    ["spelling", line.replace("1.5", "1.50")],
    ["spelling", line.replace("1.5", "15e-1")],
    ["spelling", line.replace('"info"', String.raw`"\u0069nfo"`)],
    ["spelling", line.replace('"severity":"info"', '"severity":"info","severity":"info"')],
    ["schema", line.replace("1.5", "-1.5")],
    ["schema", line.replace("vram.shard.verified", "vram.shard.sealed")],
    ["schema", line.replace('"specversion":"1.0"', '"specversion":"1.1"')],
    ["schema", line.replace('"elapsedms":"5"', '"elapsedms":5')],
    ["schema", line.replace('"elapsedms":"5"', '"elapsedms":"05"')],
    ["schema", line.replace('"elapsedms":"5",', "")],
    ["schema", "[]"],
    ["schema", "null"],
  ])("finds the fault %s in %s", (fault, text) => {
    expect(parseLine(Buffer.from(text)).fault).toBe(fault);
  });

  it("finds bytes that are no UTF-8, and a byte order mark", () => {
    expect(parseLine(Buffer.concat([Buffer.from(line.slice(0, 40)), Buffer.of(0xff), Buffer.from(line.slice(40))])).fault).toBe("json");
    expect(parseLine(Buffer.from(`\ufeff${line}`)).fault).toBe("json");
  });

  it("passes a type of a newer version on without judging its data", () => {
    const newer = line.replace("vram.shard.verified", "vram.shard.migrated").replace(/"data":.*$/, '"data":{"any":[1,{"b":2}]}}');
    const { fault, event, envelope } = parseLine(Buffer.from(newer));
    expect([fault, event, envelope?.type]).toEqual([undefined, undefined, "vram.shard.migrated"]);
    expect(parseLine(Buffer.from(newer.replace('"severity":"info"', '"severity":"x"'))).fault).toBe("schema");
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map((text) => Buffer.from(text))), (bytes) => {
        expect(parseLine(bytes).fault).toMatch(/^(?:json|spelling|schema)$/);
      }),
    );
  });
});
