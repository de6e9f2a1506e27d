import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AuditEntry, openAuditLog, queryAuditLog, toOcsf, toOtel, verifyAuditLog } from "../src/index.js";
import { verified } from "./support/events.js";
import { appendNewer, writeNewerLog } from "./support/newer-version.js";
import { copyLog } from "./support/sample-log.js";
import { readLog, scratch, segmentNames } from "./support/scratch.js";

const newDirectory = scratch();

/** Continues a log as this version does, into a second segment. */
async function continueLog(dir: string): Promise<void> {
  const log = await openAuditLog({ dir, rotate: { bytes: 1 } });
  for (let index = 0; index < 3; index += 1) await log.append(verified("a", index));
  await log.close();
}

async function entriesOf(dir: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of queryAuditLog({ dir })) entries.push(entry);
  return entries;
}

describe("a log with events of a newer version's types", () => {
  it("is continued: they stay as they are, and a query and every export have them", async () => {
    const dir = join(newDirectory(), "log");
    await writeNewerLog(dir);
    const before = await readLog(dir);
    await continueLog(dir);
    expect(await verifyAuditLog({ dir })).toMatchObject({ ok: true, problems: [], closed: true });
    expect((await segmentNames(dir)).length).toBeGreaterThan(1);
    const after = await readLog(dir);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.length).toBeGreaterThan(before.length);
    const entries = await entriesOf(dir);
    expect(entries.map(({ line }) => line)).toEqual(after);
    const newer = entries.filter(({ event }) => event === undefined);
    expect(newer.map(({ envelope }) => envelope.type)).toEqual(["vram.shard.migrated", "vram.audit.compacted"]);
    for (const entry of newer) {
      expect(toOcsf(entry).raw_data).toBe(entry.line);
      expect(toOtel(entry).resourceLogs[0].scopeLogs[0].logRecords[0].attributes).toContainEqual({ key: "log.record.original", value: { stringValue: entry.line } });
    }
  });

  it("is continued where they are its last lines, because its writer was killed", async () => {
    const live = join(newDirectory(), "log");
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir: live });
    await appendNewer(log);
    await copyLog(live, dir);
    await log.close();
    const before = await readLog(dir);
    await continueLog(dir);
    expect((await verifyAuditLog({ dir })).problems).toEqual([]);
    expect((await readLog(dir)).slice(0, before.length)).toEqual(before);
  });
});
