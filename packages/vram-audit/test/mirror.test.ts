import { EventEmitter } from "node:events";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { createLogger } from "winston";
import { openAuditLog, type MirrorLogger } from "../src/index.js";
import { allocationFailed, violated } from "./support/events.js";
import { mirroredAppends } from "./support/mirrored-appends.js";
import { scratch } from "./support/scratch.js";

const newDirectory = scratch();
const appendMirrored = mirroredAppends(newDirectory);
const EVENTS = 200;

type Entry = Parameters<MirrorLogger["log"]>[0];

function recorder(logger: Partial<MirrorLogger> = {}) {
  const entries: Entry[] = [];
  return { entries, log: (entry: Entry) => entries.push(entry), ...logger };
}

/** What winston pipes its entries to. */
function transport(take: (entry: unknown, done: () => void) => void): Writable {
  return new Writable({ objectMode: true, write: (entry: unknown, _encoding, done) => { take(entry, done); } });
}

describe("the mirror", () => {
  it("copies every durable event, with its place in the log", async () => {
    const mirror = recorder();
    expect(await appendMirrored(mirror, 20)).toBe(0);
    expect(mirror.entries.map(({ message }) => message)).toEqual(["vram.audit.opened", ...Array<string>(20).fill("vram.shard.verified"), "vram.audit.closed"]);
    expect(mirror.entries[1]).toMatchObject({ level: "info", audit: { sequence: 2, severity: "info", data: { shardId: "a" } } });
  });

  it("uses the logger's own words for the severities", async () => {
    const npm = recorder();
    const syslog = recorder({ levels: { crit: 2, warning: 4, info: 6 } });
    for (const mirror of [npm, syslog]) {
      const log = await openAuditLog({ dir: join(newDirectory(), "log"), mirror });
      await log.append({ ...violated(), correlationid: "request:7" });
      await log.append(allocationFailed());
      await log.close();
      await turn();
    }
    expect(npm.entries.map(({ level }) => level)).toEqual(["info", "error", "warn", "info"]);
    expect(npm.entries[1]).toMatchObject({ audit: { correlationid: "request:7" } });
    expect(syslog.entries.map(({ level }) => level)).toEqual(["info", "crit", "warning", "info"]);
  });

  it("works with winston, and hears its transports fail", async () => {
    const written: unknown[] = [];
    const logger = createLogger();
    logger.pipe(transport((entry, done) => {
      written.push(entry);
      done();
    }));
    expect(await appendMirrored(logger, 50)).toBe(0);
    expect(written).toHaveLength(52);
    // Without a listener this would throw here and end the process.
    logger.emit("error", new Error("the transport failed"));
  });

  it("drops for a winston transport that never calls back, and neither waits for it nor hoards", async () => {
    const logger = createLogger();
    logger.pipe(transport(() => undefined));
    const dropped = await appendMirrored(logger, 3000);
    expect(dropped).toBeGreaterThan(1500);
    expect(logger.writableLength).toBeLessThanOrEqual(1024);
  });

  it.each([
    ["throws", () => { throw new Error("no"); }],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("counts what a logger that %s did not take", async (_, log) => {
    expect(await appendMirrored({ log }, EVENTS)).toBe(EVENTS + 2);
  });

  it("does not wait for a logger that never answers", async () => {
    expect(await appendMirrored({ log: () => new Promise(() => undefined) }, EVENTS)).toBe(0);
  });

  it("listens once to a logger that several logs share", async () => {
    const emitter = new EventEmitter();
    const mirror = Object.assign(emitter, { log: () => undefined });
    await appendMirrored(mirror, 10);
    await appendMirrored(mirror, 10);
    expect(emitter.listenerCount("error")).toBe(1);
  });

  it("says nothing of an event that the log refused", async () => {
    const mirror = recorder();
    await using log = await openAuditLog({ dir: join(newDirectory(), "log"), mirror });
    await expect(log.append({ type: "unknown" } as never)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await turn();
    expect(mirror.entries.map(({ message }) => message)).toEqual(["vram.audit.opened"]);
  });
});
