import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuditEntry, type AuditFilter, openAuditLog, queryAuditLog, workerSource } from "../src/index.js";
import { NEWER_ENTRY } from "./support/entries.js";
import { allocationFailed, deallocated, sealed, verified, violated } from "./support/events.js";
import { auditErrorOf, LOG, readLog, scratch, writeLog } from "./support/scratch.js";

const newDirectory = scratch();

/** Eight lines: opened, and six events of two workers and two shards, closed. */
async function writeTwoWorkers(home = newDirectory()): Promise<string> {
  const dir = join(home, "log");
  const log = await openAuditLog({ dir });
  const [one, two] = [workerSource("wörker 1"), workerSource("2")];
  await log.append({ ...sealed("shard-0"), source: one, correlationid: "request:7" });
  await log.append({ ...verified("shard-0"), source: two });
  await log.append({ ...allocationFailed(), source: two, subject: "another subject" });
  await log.append({ ...sealed("shard-1"), source: one });
  await log.append(violated());
  await log.append({ ...deallocated("shard-1", { wiped: false }), source: one, correlationid: "request:7" });
  await log.close();
  return dir;
}

let home: string;
/** For the tests that do not change it. */
let dir: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vram-audit-"));
  dir = await writeTwoWorkers(home);
});

afterAll(() => rm(home, { recursive: true }));

async function collect(entries: AsyncIterable<AuditEntry>): Promise<AuditEntry[]> {
  const all: AuditEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

const numbers = (entries: readonly AuditEntry[]) => entries.map(({ envelope }) => Number(envelope.sequence));

describe("a query", () => {
  it("gives every line as it is, oldest first, without a filter", async () => {
    const entries = await collect(queryAuditLog({ dir }));
    expect(entries.map(({ line }) => line)).toEqual(await readLog(dir));
    expect(entries.map(({ event }) => event?.type)).toEqual(entries.map(({ envelope }) => envelope.type));
  });

  it.each<[AuditFilter, number[]]>([
    [{ types: ["vram.shard.sealed"] }, [2, 5]],
    [{ types: ["vram.shard.sealed", "vram.policy.violation"] }, [2, 5, 6]],
    [{ types: [] }, []],
    [{ shardId: "shard-0" }, [2, 3, 4]],
    [{ shardId: "shard" }, []],
    [{ workerId: "wörker 1" }, [2, 5, 7]],
    [{ correlationId: "request:7" }, [2, 7]],
    [{ correlationId: "request" }, []],
    [{ severity: "info" }, [1, 2, 3, 4, 5, 6, 7, 8]],
    [{ severity: "warning" }, [4, 6, 7]],
    [{ severity: "critical" }, [6, 7]],
    [{ fromSequence: 3, toSequence: 5 }, [3, 4, 5]],
    [{ toSequence: 0 }, []],
    [{ from: new Date(0), to: new Date(8.64e15) }, [1, 2, 3, 4, 5, 6, 7, 8]],
    [{ to: new Date(0) }, []],
    [{ from: new Date(8.64e15) }, []],
    [{ severity: "critical", workerId: "wörker 1", types: ["vram.shard.deallocated"] }, [7]],
  ])("finds with %j the lines %j", async (filter, expected) => {
    expect(numbers(await collect(queryAuditLog({ dir, filter })))).toEqual(expected);
  });

  it("counts both ends of a time", async () => {
    const [, , third] = await collect(queryAuditLog({ dir }));
    const time = new Date(third?.envelope.time ?? Number.NaN);
    const at = numbers(await collect(queryAuditLog({ dir, filter: { from: time, to: time } })));
    expect(at).toContain(3);
    const around = [{ from: new Date(time.getTime() + 1) }, { to: new Date(time.getTime() - 1) }];
    for (const filter of around) expect(numbers(await collect(queryAuditLog({ dir, filter })))).not.toContain(3);
  });

  it("gives a line of a newer version's type, which no list of types names", async () => {
    const own = await writeTwoWorkers();
    await writeLog(own, [...(await readLog(own)).slice(0, 1), NEWER_ENTRY.line]);
    expect((await collect(queryAuditLog({ dir: own }))).at(-1)).toEqual(NEWER_ENTRY);
    expect(numbers(await collect(queryAuditLog({ dir: own, filter: { shardId: "shard-0", severity: "warning" } })))).toEqual([2]);
    expect(numbers(await collect(queryAuditLog({ dir: own, filter: { types: ["vram.audit.opened"] } })))).toEqual([1]);
  });

  it("stops at a damaged line and names it, after the lines before", async () => {
    const own = await writeTwoWorkers();
    const lines = await readLog(own);
    await writeLog(own, lines.with(3, `${lines[3] ?? ""} `));
    const seen: number[] = [];
    const reading = async () => {
      for await (const { envelope } of queryAuditLog({ dir: own })) seen.push(Number(envelope.sequence));
    };
    expect((await auditErrorOf(reading())).details).toEqual({ reason: "damaged", line: 4, segment: LOG, problem: "spelling" });
    expect(seen).toEqual([1, 2, 3]);
  });

  it("does not judge lines before the first that is asked for, nor read the files that have none but those", async () => {
    const own = await writeTwoWorkers();
    const lines = await readLog(own);
    await writeLog(own, lines.with(3, `${lines[3] ?? ""} `));
    expect(numbers(await collect(queryAuditLog({ dir: own, filter: { fromSequence: 5 } })))).toEqual([5, 6, 7, 8]);

    const rotated = join(newDirectory(), "log");
    const log = await openAuditLog({ dir: rotated, rotate: { bytes: 1 } });
    for (let count = 0; count < 4; count += 1) await log.append(verified("shard-0"));
    await log.close();
    await writeFile(join(rotated, LOG), "no log\n");
    expect(numbers(await collect(queryAuditLog({ dir: rotated, filter: { fromSequence: 4 } })))[0]).toBe(4);
  });

  it.each([
    [{ dir: "" }, "options.dir"],
    [{ dir: "a", filter: { types: ["vram.shard.seeled"] } }, "options.filter.types.0"],
    [{ dir: "a", filter: { shardId: "a/b" } }, "options.filter.shardId"],
    [{ dir: "a", filter: { workerId: "" } }, "options.filter.workerId"],
    [{ dir: "a", filter: { correlationId: "a b" } }, "options.filter.correlationId"],
    [{ dir: "a", filter: { severity: "error" } }, "options.filter.severity"],
    [{ dir: "a", filter: { from: new Date(Number.NaN) } }, "options.filter.from"],
    [{ dir: "a", filter: { to: "2026-01-01" } }, "options.filter.to"],
    [{ dir: "a", filter: { fromSequence: -1 } }, "options.filter.fromSequence"],
    [{ dir: "a", filter: { toSequence: 1.5 } }, "options.filter.toSequence"],
    [{ dir: "a", filter: { shard: "a" } }, "options.filter"],
    [{ dir: "a", follow: 1 }, "options.follow"],
    [{ dir: "a", signal: {} }, "options.signal"],
  ])("refuses %j", async (options, argument) => {
    const { code, details } = await auditErrorOf(collect(queryAuditLog(options as never)));
    expect([code, details["argument"]]).toEqual(["INVALID_INPUT", argument]);
  });

  it("says that there is no log", async () => {
    const { code, details } = await auditErrorOf(collect(queryAuditLog({ dir: newDirectory(), follow: true })));
    expect([code, details["reason"]]).toEqual(["AUDIT_UNAVAILABLE", "missing"]);
  });

  it("ends at the signal without an error, also before the end of the log", async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    for await (const { envelope } of queryAuditLog({ dir, signal: abort.signal })) {
      seen.push(Number(envelope.sequence));
      if (seen.length === 2) abort.abort();
    }
    expect(seen).toEqual([1, 2]);
  });
});

describe("a log that is followed", () => {
  it("gives what is appended later, by another writer too, until the signal", async () => {
    const own = await writeTwoWorkers();
    const abort = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { envelope } of queryAuditLog({ dir: own, filter: { shardId: "late" }, follow: true, signal: abort.signal })) {
        if (seen.push(Number(envelope.sequence)) === 2) abort.abort();
      }
    })();
    for (const expected of [[11], [11, 14]]) {
      const log = await openAuditLog({ dir: own });
      await log.append(verified("late"));
      await log.close();
      await expect.poll(() => seen, { timeout: 5_000 }).toEqual(expected);
    }
    await following;
  });

  it("gives a line once, when it is whole", async () => {
    const own = await writeTwoWorkers();
    const lines = await readLog(own);
    const last = lines.at(-1) ?? "";
    await writeLog(own, lines.slice(0, -1));
    await appendFile(join(own, LOG), last.slice(0, 50));
    const abort = new AbortController();
    const entries: AuditEntry[] = [];
    const following = (async () => {
      for await (const entry of queryAuditLog({ dir: own, follow: true, signal: abort.signal })) entries.push(entry);
    })();
    await delay(500);
    expect(entries).toHaveLength(lines.length - 1);
    await appendFile(join(own, LOG), `${last.slice(50)}\n`);
    await expect.poll(() => entries.map(({ line }) => line), { timeout: 5_000 }).toEqual(lines);
    await delay(300);
    expect(entries).toHaveLength(lines.length);
    abort.abort();
    await following;
  });

  it("gives every line once over rotation and retention", async () => {
    const own = join(newDirectory(), "log");
    const log = await openAuditLog({ dir: own, rotate: { bytes: 2000 }, retain: { segments: 3 } });
    const abort = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { envelope } of queryAuditLog({ dir: own, follow: true, signal: abort.signal })) seen.push(Number(envelope.sequence));
    })();
    for (let round = 0; round < 10; round += 1) {
      await log.append(verified("late"));
      const { size } = log.head();
      await expect.poll(() => seen.at(-1), { timeout: 5_000 }).toBe(size);
    }
    await log.close();
    abort.abort();
    await following;
    expect(numbers(await collect(queryAuditLog({ dir: own })))[0]).toBeGreaterThan(1);
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
  });

  it("ends with an error when retention removed lines before they were read", async () => {
    const own = join(newDirectory(), "log");
    const log = await openAuditLog({ dir: own, rotate: { bytes: 1500 }, retain: { segments: 2 } });
    await log.append(verified("early"));
    const following = async () => {
      for await (const { envelope } of queryAuditLog({ dir: own, follow: true })) {
        if (Number(envelope.sequence) === 2) for (let count = 0; count < 20; count += 1) await log.append(verified("late"));
      }
    };
    const { code, details } = await auditErrorOf(following());
    await log.close();
    expect([code, details]).toEqual(["AUDIT_UNAVAILABLE", { reason: "truncated", line: 2 }]);
  });

  it("ends with an error when lines that were read are gone", async () => {
    const own = await writeTwoWorkers();
    const following = async () => {
      for await (const { envelope } of queryAuditLog({ dir: own, follow: true })) {
        if (Number(envelope.sequence) === 8) await truncate(join(own, LOG), 100);
      }
    };
    const { code, details } = await auditErrorOf(following());
    expect([code, details]).toEqual(["AUDIT_UNAVAILABLE", { reason: "truncated", line: 8 }]);
  });
});
