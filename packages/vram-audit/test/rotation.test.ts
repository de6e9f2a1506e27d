import { createHash } from "node:crypto";
import { copyFile, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type AuditLog, type AuditRotated, openAuditLog, type OpenAuditLogOptions, readAuditEvents, verifyAuditLog } from "../src/index.js";
import { openAuditLogOn } from "../src/log/open-audit-log.js";
import { segmentName } from "../src/storage/file-names.js";
import { deallocated, sealed, verified, violated } from "./support/events.js";
import { FaultLayer } from "./support/fault-layer.js";
import { copyLog } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, closeQuietly, LEAVES, LOG, parseLines, readLog, readSegment, scratch, segmentNames } from "./support/scratch.js";

const newDirectory = scratch();
const SMALL = { rotate: { bytes: 4000 } };

async function appendMany(log: AuditLog, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await log.append(verified("a", index));
}

/** A closed log of several segments. */
async function rotatedLog(options: Partial<OpenAuditLogOptions> = {}): Promise<string> {
  const dir = join(newDirectory(), "log");
  const log = await openAuditLog({ dir, ...SMALL, ...options });
  await appendMany(log, 40);
  await log.close();
  return dir;
}

async function firstLines(dir: string): Promise<readonly number[]> {
  return (await segmentNames(dir)).map((name) => Number(name.split(".")[1]));
}

async function expectGood(dir: string): Promise<void> {
  const { ok, problems } = await verifyAuditLog({ dir });
  expect([ok, problems]).toEqual([true, []]);
}

async function firstProblem(dir: string): Promise<unknown> {
  const [problem] = (await verifyAuditLog({ dir })).problems;
  return problem && [problem.line, problem.reason, problem.segment];
}

describe("a log that rotates", () => {
  it("goes on in files named by their first line, each telling what the one before held", async () => {
    const dir = await rotatedLog();
    const names = await segmentNames(dir);
    expect(names.length).toBeGreaterThan(3);
    let next = 1;
    for (const [index, name] of names.entries()) {
      const lines = await readSegment(dir, name);
      expect(name).toBe(segmentName(next));
      const [head] = parseLines(lines);
      expect(head?.type).toBe(index === 0 ? "vram.audit.opened" : "vram.audit.rotated");
      next += lines.length;
      const following = names[index + 1];
      if (following === undefined) continue;
      const bytes = await readFile(join(dir, name));
      expect(bytes.length).toBeGreaterThanOrEqual(SMALL.rotate.bytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const closed = { first: next - lines.length, last: next - 1, bytes: bytes.length, sha256 };
      expect(parseLines(await readSegment(dir, following))[0]?.data["closed"]).toEqual(closed);
      expect((await stat(join(dir, following))).mode & 0o777).toBe(0o600);
    }
    await expectGood(dir);
    const { events, removed, closed, linesAfterCheckpoint } = await verifyAuditLog({ dir });
    expect({ events, removed, closed, linesAfterCheckpoint }).toEqual({ events: next - 1, removed: 0, closed: true, linesAfterCheckpoint: 0 });
    expect((await stat(join(dir, LEAVES))).size).toBe((next - 1) * 32);
  });

  it("is read in order", async () => {
    const dir = await rotatedLog();
    const sequences: number[] = [];
    for await (const { sequence } of readAuditEvents({ dir })) sequences.push(Number(sequence));
    expect(sequences).toEqual((await readLog(dir)).map((_, index) => index + 1));
  });

  it("rotates by the age of the last file's first line, also over a restart", async () => {
    const dir = join(newDirectory(), "log");
    await (await openAuditLog({ dir })).close();
    await delay(60);
    const log = await openAuditLog({ dir, rotate: { milliseconds: 50 } });
    await log.append(verified("a"));
    await log.close();
    expect(parseLines(await readLog(dir)).map(({ type }) => type)).toEqual([
      ...["vram.audit.opened", "vram.audit.closed", "vram.audit.opened"],
      ...["vram.audit.rotated", "vram.shard.verified", "vram.audit.closed"],
    ]);
    expect(await firstLines(dir)).toEqual([1, 4]);
    await expectGood(dir);
  });

  it("goes on in the last file, which stays the last until an event follows the ones that open a session", async () => {
    const dir = await rotatedLog();
    const names = await segmentNames(dir);
    await (await openAuditLog({ dir, rotate: { bytes: 1 } })).close();
    const last = parseLines(await readSegment(dir, names.at(-1) ?? ""));
    expect(last.slice(-2).map(({ type }) => type)).toEqual(["vram.audit.closed", "vram.audit.opened"]);
    expect((await segmentNames(dir)).length).toBe(names.length + 1);
    await expectGood(dir);
  });

  it("delays an event by no more than one commit and one checkpoint", async () => {
    const layer = new FaultLayer();
    const dir = join(newDirectory(), "log");
    await using log = await openAuditLogOn(layer.wrap, { dir, rotate: { bytes: 1 } });
    layer.calls.length = 0;
    await log.append(verified("a"));
    const second = segmentName(2);
    expect(layer.calls.filter(({ operation }) => operation === "datasync").map(({ name }) => name)).toEqual([second, CHECKPOINTS, second]);
  });

  it("names the shards that live across files, and each once when their writer is gone", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 1 } });
    for (const shardId of ["gone", "left"]) await log.append(sealed(shardId));
    await log.append(deallocated("gone", { wiped: true }));
    await log.close();
    const rotated = parseLines(await readLog(dir)).filter(({ type }) => type === "vram.audit.rotated");
    expect(rotated.map(({ data }) => data["liveShards"])).toEqual([[], ["gone"], ["gone", "left"], ["left"]]);
    for (let round = 0; round < 2; round += 1) await (await openAuditLog({ dir })).close();
    const recovered = parseLines(await readLog(dir)).filter(({ type }) => type === "vram.audit.recovered");
    expect(recovered.map(({ data }) => data["liveShards"])).toEqual([["left"]]);
    await expectGood(dir);
  });

  it("tells of more live shards than one event holds", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, checkpointEvery: { events: 5000 }, rotate: { bytes: 400_000 } });
    const shards = Array.from({ length: 1100 }, (_, index) => `shard-${index}`);
    await Promise.all(shards.map((shardId) => log.append(sealed(shardId))));
    await log.append(verified("a"));
    await log.close();
    const rotated = parseLines(await readLog(dir)).filter(({ type }) => type === "vram.audit.rotated");
    const parts = rotated.map(({ data }) => data as AuditRotated["data"]);
    expect(parts.map(({ liveShards }) => liveShards.length)).toEqual([1024, 76]);
    expect(parts.flatMap(({ liveShards }) => liveShards)).toEqual(shards);
    await expectGood(dir);
  });

  it("never looks faulty to who verifies meanwhile", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 1000 } });
    const stop = new AbortController();
    const writer = (async () => {
      while (!stop.signal.aborted) await Promise.all([log.append(verified("a")), log.append(verified("b"))]);
    })();
    for (let round = 0; round < 15 || log.head().size < 60; round += 1) expect((await verifyAuditLog({ dir })).problems).toEqual([]);
    stop.abort();
    await writer;
    await log.close();
    await expectGood(dir);
  });
});

describe("a rotation that is cut short", () => {
  it.each([
    ["the new file's line", segmentName(3), "write", [1]],
    ["the new file's sync", segmentName(3), "datasync", [1]],
    ["the checkpoint", CHECKPOINTS, "write", [1, 3]],
  ] as const)("by an error of %s refuses the event, and the next opening is clean", async (_, name, operation, firsts) => {
    const layer = new FaultLayer();
    const dir = join(newDirectory(), "log");
    const log = await openAuditLogOn(layer.wrap, { dir, rotate: { bytes: 500 } });
    await log.append(verified("kept"));
    layer.failNext(name, operation, "EIO");
    const { details } = await auditErrorOf(log.append(violated()));
    expect([details["file"], details["errno"], log.state]).toEqual([name, "EIO", "failed"]);
    await log.close();
    const again = await openAuditLog({ dir });
    expect(await firstLines(dir)).toEqual(firsts);
    await again.append(violated());
    await again.close();
    await expectGood(dir);
  });

  it.each([
    ["an empty file", "", 0],
    ["half a line", '{"specversion":"1.0","id":"', 27],
    ["blocks that were never written", `${"\0".repeat(5000)}\n`, 5001],
  ])("by a crash that leaves %s goes on where the log ended", async (_, content, cutBytes) => {
    const live = join(newDirectory(), "log");
    const log = await openAuditLog({ dir: live });
    await log.append(violated());
    const dir = join(newDirectory(), "log");
    await copyLog(live, dir);
    await log.close();
    await writeFile(join(dir, segmentName(3)), content, { mode: 0o600 });
    expect((await verifyAuditLog({ dir })).problems.map(({ line, reason }) => [line, reason])).toEqual(content === "" ? [] : [[3, "torn"]]);
    await (await openAuditLog({ dir })).close();
    expect(await firstLines(dir)).toEqual([1]);
    expect(parseLines(await readLog(dir))[3]?.data).toEqual({ cutBytes, liveShards: [], uncleanEnd: true });
    await expectGood(dir);
  });

  it("by a file that is in the way fails the log and leaves that file as it is", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 1 } });
    await writeFile(join(dir, segmentName(2)), "other");
    const { details } = await auditErrorOf(log.append(verified("a")));
    expect(details).toMatchObject({ file: segmentName(2), errno: "EEXIST" });
    await closeQuietly(log);
    expect(await readFile(join(dir, segmentName(2)), "utf8")).toBe("other");
  });
});

describe("segments that do not follow each other", () => {
  it("are found and named: missing, repeated, swapped, renamed", async () => {
    const source = await rotatedLog();
    const names = await segmentNames(source);
    const [, second = "", third = "", fourth = ""] = names;
    const [, , thirdLine = 0, fourthLine = 0] = await firstLines(source);
    const path = (dir: string, name: string) => join(dir, name);
    const damage: readonly (readonly [(dir: string) => Promise<void>, unknown])[] = [
      [(dir) => rm(path(dir, third)), [thirdLine, "missing", second]],
      [(dir) => rm(path(dir, names.at(-1) ?? "")), [Number(names.at(-1)?.split(".")[1]), "truncated", names.at(-2)]],
      [(dir) => rm(path(dir, LOG)), [1, "removed", null]],
      [(dir) => copyFile(path(dir, third), path(dir, segmentName(thirdLine + 1))), [fourthLine, "segment", segmentName(thirdLine + 1)]],
      [(dir) => rename(path(dir, third), path(dir, segmentName(thirdLine + 1))), [thirdLine, "missing", second]],
      [
        async (dir) => {
          await rename(path(dir, third), path(dir, "other"));
          await rename(path(dir, fourth), path(dir, third));
          await rename(path(dir, "other"), path(dir, fourth));
        },
        [thirdLine, "sequence", third],
      ],
    ];
    for (const [change, problem] of damage) {
      const dir = join(newDirectory(), "log");
      await copyLog(source, dir);
      await change(dir);
      expect(await firstProblem(dir)).toEqual(problem);
      expect((await auditErrorOf(openAuditLog({ dir }))).details["reason"]).toBe("damaged");
    }
  });

  it("do not hide behind names that are none", async () => {
    const dir = await rotatedLog();
    for (const name of ["audit-v1.0000000000000000.jsonl", "audit-v1.9999999999999999.jsonl", "audit-v1.5.jsonl"]) {
      await writeFile(join(dir, name), "other", { mode: 0o600 });
    }
    await expectGood(dir);
  });
});
