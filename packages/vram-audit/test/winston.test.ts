import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createLogger, type Logger } from "winston";
import Transport from "winston-transport";
import type { KnownEvent } from "../src/events/schema.js";
import { AuditError, readAuditEvents } from "../src/index.js";
import { Mirror } from "../src/mirror/mirror.js";
import { auditLogger, AuditMirrorTransport } from "../src/winston.js";
import { LINE_EVENTS } from "./support/entries.js";
import { sealed, verified } from "./support/events.js";
import { mirroredAppends } from "./support/mirrored-appends.js";
import { scratch } from "./support/scratch.js";

const newDirectory = scratch();
const appendMirrored = mirroredAppends(newDirectory);

const TIME = "2026-01-02T03:04:05.678Z";
const LEVELS = { info: "info", warning: "warn", critical: "error" };
const PENDING_MAX = 1024;
/** More than a target may hold, with the log's own two. */
const COPIES = 1502;

/** A stream that keeps the lines it gets. */
function lineSink() {
  const lines: string[] = [];
  const write = (chunk: unknown, _: unknown, done: () => void) => {
    lines.push(String(chunk));
    done();
  };
  return { lines, stream: new Writable({ write }) };
}

async function mirrorAll(logger: Logger, events: readonly KnownEvent[]): Promise<void> {
  const mirror = new Mirror(logger);
  events.forEach((event, index) => { mirror.push({ event, sequence: index + 1, time: TIME }); });
  await turn();
  await turn();
}

describe("the ready logger", () => {
  it("writes one line for an event of any type, and nothing of the event is missing", async () => {
    const events = [...LINE_EVENTS, { ...verified("a"), subject: "of its own" }];
    const { lines, stream } = lineSink();
    await mirrorAll(auditLogger({ transport: new AuditMirrorTransport(stream) }), events);
    const expected = events.map(({ type, ...event }, index) => ({ level: LEVELS[event.severity], message: type, audit: { sequence: index + 1, time: TIME, ...event } }));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(expected);
    expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  });

  it("leaves out what is below its level", async () => {
    const { lines, stream } = lineSink();
    await mirrorAll(auditLogger({ level: "error", transport: new AuditMirrorTransport(stream) }), LINE_EVENTS);
    expect(lines).toHaveLength(LINE_EVENTS.filter(({ severity }) => severity === "critical").length);
  });

  it("loses no event of the log when the process exits while nobody reads its standard error", async () => {
    const dir = join(newDirectory(), "log");
    const script = new URL("support/mirrored-writer.mjs", import.meta.url).pathname;
    const child = spawn(process.execPath, [script, dir], { stdio: ["ignore", "pipe", "pipe"] });
    const exited = once(child, "exit");
    // From here on the child writes nothing: it goes on to exit.
    const acknowledged = Number(String(await once(child.stdout, "data")));
    const copies = (await text(child.stderr)).split("\n").slice(0, -1);
    expect(await exited).toEqual([0, null]);
    const types: string[] = [];
    for await (const { type } of readAuditEvents({ dir })) types.push(type);
    expect(types).toEqual(["vram.audit.opened", ...Array<string>(acknowledged).fill("vram.shard.verified")]);
    expect(copies.length).toBeGreaterThan(0);
    expect(copies.length).toBeLessThan(acknowledged);
    expect(JSON.parse(copies[0] ?? "")).toMatchObject({ level: "info", message: "vram.audit.opened", audit: { sequence: 1 } });
  });

  it.each<[string, () => unknown, string]>([
    ["a level that npm does not have", () => auditLogger({ level: "warning" }), "options.level must be one of"],
    ["an unknown option", () => auditLogger({ file: "x" } as never), "options must be an object with known options only"],
    ["another transport", () => auditLogger({ transport: new Transport() as never }), "options.transport must be an AuditMirrorTransport"],
    ["a target that is no stream", () => new AuditMirrorTransport({ write: () => true } as never), "target must be a stream"],
    ["a target that was destroyed", () => new AuditMirrorTransport(lineSink().stream.destroy()), "target must be a stream"],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(AuditError);
    expect(make).toThrow(message);
  });
});

describe("the allow-list", () => {
  const TOKEN = "hf_aBcDeFgHiJkLmNoP";
  const PATH = "/srv/models/private.safetensors";
  const ADDRESS = "0x7f3a12b4c000";
  const SECRETS = [TOKEN, PATH, ADDRESS];

  const { type, severity, data } = verified("a");
  const audit = { sequence: 7, time: TIME, severity, data };
  const { placement, ...sealData } = sealed("a").data;

  /** What a ready logger writes for what is logged through it. */
  async function linesOf(logged: (logger: Logger) => void): Promise<string[]> {
    const { lines, stream } = lineSink();
    logged(auditLogger({ transport: new AuditMirrorTransport(stream) }));
    await turn();
    return lines;
  }

  it.each<[string, object]>([
    ["a message", { message: `loaded ${PATH} with ${TOKEN}` }],
    ["a field beside a message", { message: "loaded", token: TOKEN, from: { path: PATH } }],
    ["an error", { message: "failed", error: new Error(`cannot map ${ADDRESS}`) }],
    ["data of an unknown type", { message: "vram.shard.mapped", audit: { ...audit, data: { at: ADDRESS } } }],
    ["a field that the type's data does not have", { message: type, audit: { ...audit, data: { ...data, token: TOKEN } } }],
    ["a field of another type", { message: type, audit: { ...audit, data: { ...data, modelRef: PATH } } }],
    ["a field deep in the data", { message: "vram.shard.sealed", audit: { ...audit, data: { ...sealData, placement: { ...placement, address: ADDRESS } } } }],
    ["a field beside the data", { message: type, audit: { ...audit, path: PATH } }],
    ["a type beside the data", { message: TOKEN, audit: { ...audit, type } }],
    ["a value that the field cannot have", { message: type, audit: { ...audit, data: { ...data, digest: ADDRESS } } }],
    ["a severity that the type cannot have", { message: type, audit: { ...audit, severity: TOKEN } }],
    ["a time that is none", { message: type, audit: { ...audit, time: PATH } }],
    ["a place that is none", { message: type, audit: { ...audit, sequence: ADDRESS } }],
  ])("lets no secret out in %s", async (_, entry) => {
    expect(await linesOf((logger) => logger.log({ level: "info", ...entry } as never))).toEqual([]);
  });

  it("keeps what others add to an event out of its line", async () => {
    const lines = await linesOf((logger) => {
      const child = logger.child({ token: TOKEN });
      child.info(type, { audit, path: PATH });
      logger.write({ [Symbol.for("level")]: "info", level: ADDRESS, message: type, audit });
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([1, 2].map(() => ({ level: "info", message: type, audit })));
    expect(SECRETS.filter((secret) => lines.join("").includes(secret))).toEqual([]);
  });
});

describe("a mirror transport in a logger of one's own", () => {
  const fails = new Error("the target failed");

  /** A transport like any other of winston's. */
  function target(log: (this: Transport, info: unknown, next: () => void) => void, level?: string): Transport {
    return new Transport({ log, ...(level !== undefined && { level }) });
  }

  /** Mirrors a log to a logger with the target and a second transport, which must get every event in order. */
  async function dropsOf(stream: Writable): Promise<AuditMirrorTransport> {
    const sequences: unknown[] = [];
    const other = target((info, next) => {
      sequences.push((info as { audit: { sequence: number } }).audit.sequence);
      next();
    });
    const transport = new AuditMirrorTransport(stream);
    const logger = createLogger();
    logger.pipe(transport);
    logger.pipe(other);
    expect(await appendMirrored(logger, COPIES - 2)).toBe(0);
    expect(sequences).toEqual(Array.from({ length: COPIES }, (_, index) => index + 1));
    return transport;
  }

  it("drops for a target that never calls back, once that holds as much as it may", async () => {
    let taken = 0;
    const stream = target(() => { taken += 1; });
    const { dropped } = await dropsOf(stream);
    expect([taken, stream.writableLength, dropped]).toEqual([1, PENDING_MAX, COPIES - PENDING_MAX]);
  });

  it("catches a target that throws", async () => {
    const { dropped } = await dropsOf(target(() => { throw fails; }));
    // Its stream takes no more once it threw, and holds what it is given.
    expect(dropped).toBe(COPIES - PENDING_MAX);
  });

  it("counts what a full disk does not take", async () => {
    const transport = await dropsOf(createWriteStream("/dev/full"));
    await expect.poll(() => transport.dropped).toBe(COPIES);
  });

  it("hears a target fail late", async () => {
    const stream = target((_, next) => { next(); });
    const { dropped } = await dropsOf(stream);
    // Without a listener this would throw here and end the process.
    stream.emit("error", fails);
    expect(dropped).toBe(0);
  });

  it("gives the target the events and none of what else is logged, at the target's own level", async () => {
    const messages: unknown[] = [];
    const stream = target((info, next) => {
      messages.push((info as { message: unknown }).message);
      next();
    }, "error");
    const transport = new AuditMirrorTransport(stream);
    const logger = createLogger();
    logger.pipe(transport);
    logger.error("the program's own");
    await mirrorAll(logger, LINE_EVENTS);
    expect(messages).toEqual(LINE_EVENTS.filter(({ severity }) => severity === "critical").map(({ type }) => type));
    expect(transport.dropped).toBe(0);
  });
});
