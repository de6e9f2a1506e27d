import { spawnSync } from "node:child_process";
import { appendFile, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { openAuditLog, verifyAuditLog } from "../src/index.js";
import { deallocated, sealed, verified } from "./support/events.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, LOG, parseLines, readLog, scratch } from "./support/scratch.js";

const newDirectory = scratch();

/** A log whose writer ended without closing it: its files, and no lock. */
async function abandonedLog(shards: readonly string[], options = {}): Promise<string> {
  const live = join(newDirectory(), "log");
  const dir = join(newDirectory(), "log");
  const log = await openAuditLog({ dir: live, ...options });
  for (const shardId of shards) await log.append(sealed(shardId));
  // Leaf hashes follow their lines by some milliseconds.
  await vi.waitFor(async () => { expect((await stat(join(live, LEAVES))).size).toBe((await readLog(live)).length * 32); });
  const { copyLog } = await import("./support/sample-log.js");
  await copyLog(live, dir);
  await log.close();
  return dir;
}

async function recovered(dir: string): Promise<readonly Record<string, unknown>[]> {
  const lines = parseLines(await readLog(dir));
  return lines.filter(({ type }) => type === "vram.audit.recovered").map(({ data }) => data);
}

async function reopen(dir: string): Promise<void> {
  await (await openAuditLog({ dir })).close();
  const { ok, problems } = await verifyAuditLog({ dir });
  expect([ok, problems]).toEqual([true, []]);
}

describe("kill -9 under load", () => {
  it("loses no acknowledged event, over rotation and retention, and names the shard that was live", () => {
    const script = fileURLToPath(new URL("../../../scripts/crash-test.mjs", import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, "--kills", "4", "--seed", "7"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^kills 4, logs 2, acknowledged \d+, lost 0, retired \d+, rotations \d+, seed 7\n$/);
  }, 60_000);
});

describe("the next opening", () => {
  it("says nothing after a clean end", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    await log.append(sealed("a"));
    await log.append(deallocated("a", { wiped: true }));
    await log.close();
    await reopen(dir);
    expect(await recovered(dir)).toEqual([]);
    expect(parseLines(await readLog(dir)).map(({ type }) => type).slice(-2)).toEqual(["vram.audit.opened", "vram.audit.closed"]);
  });

  it("names shards that were live at a clean end, once", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    await log.append(sealed("a"));
    await log.close();
    await reopen(dir);
    await reopen(dir);
    expect(await recovered(dir)).toEqual([{ cutBytes: 0, liveShards: ["a"], uncleanEnd: false }]);
  });

  it("continues the chain of an abandoned log", async () => {
    const dir = await abandonedLog(["a", "b"]);
    await reopen(dir);
    expect(await recovered(dir)).toEqual([{ cutBytes: 0, liveShards: ["a", "b"], uncleanEnd: true }]);
    expect(parseLines(await readLog(dir)).map(({ sequence }) => Number(sequence))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("names more live shards than one event holds", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    const shards = Array.from({ length: 1500 }, (_, index) => `${index}-`.padEnd(256, "x"));
    await Promise.all(shards.map((shardId) => log.append(sealed(shardId))));
    await log.close();
    await reopen(dir);
    expect((await recovered(dir)).flatMap(({ liveShards }) => liveShards)).toEqual(shards);
  });

  it.each([
    ["half a line", '{"specversion":"1.0","id":"'],
    ["blocks that were never written", `${"\0".repeat(5000)}\n${"\0".repeat(9)}`],
  ])("cuts %s at the end, and says so", async (_, tail) => {
    const dir = await abandonedLog(["a"]);
    await appendFile(join(dir, LOG), tail);
    const { ok, problems } = await verifyAuditLog({ dir });
    expect([ok, problems[0]?.line, problems[0]?.reason]).toEqual([false, 3, "torn"]);
    await reopen(dir);
    expect(await recovered(dir)).toEqual([{ cutBytes: tail.length, liveShards: ["a"], uncleanEnd: true }]);
  });

  it("cuts half a checkpoint", async () => {
    const dir = await abandonedLog(["a"]);
    const notes = await readFile(join(dir, CHECKPOINTS));
    await appendFile(join(dir, CHECKPOINTS), notes.subarray(0, 60));
    await reopen(dir);
  });

  it("restores leaf hashes that are missing, too many or wrong", async () => {
    for (const damage of [
      (path: string) => rm(path),
      (path: string) => truncate(path, 40),
      (path: string) => appendFile(path, Buffer.alloc(70)),
      (path: string) => writeFile(path, Buffer.alloc(32, 1)),
    ]) {
      const dir = await abandonedLog(["a", "b"]);
      await damage(join(dir, LEAVES));
      await reopen(dir);
      const lines = await readLog(dir);
      expect((await stat(join(dir, LEAVES))).size).toBe(lines.length * 32);
      const bytes = await readFile(join(dir, LOG));
      bytes[Buffer.byteLength(lines[0] ?? "") + 200] = 0x30;
      await writeFile(join(dir, LOG), bytes);
      expect((await verifyAuditLog({ dir })).problems[0]?.line).toBe(2);
    }
  });

  it("finds a changed byte in the last line of a log that was never closed, also behind the last checkpoint", async () => {
    const dir = await abandonedLog(["a", "b", "c"]);
    const { linesAfterCheckpoint, ok } = await verifyAuditLog({ dir });
    expect([ok, linesAfterCheckpoint]).toEqual([true, 3]);
    const bytes = await readFile(join(dir, LOG), "utf8");
    for (const [from, to] of [['"vramBytes":4096', '"vramBytes":4095'], [/"prevhash":"./, '"prevhash":"g'], ['"prevhash":"', '"prevhash":"0']] as const) {
      const at = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
      await writeFile(join(dir, LOG), bytes.slice(0, at) + bytes.slice(at).replace(from, to));
      expect((await verifyAuditLog({ dir })).problems[0]?.line).toBe(4);
      expect((await auditErrorOf(openAuditLog({ dir }))).details["line"]).toBe(4);
    }
  });

  it("does not cut a whole line that is wrong", async () => {
    const dir = await abandonedLog(["a"]);
    await appendFile(join(dir, LOG), "{}\n");
    expect((await auditErrorOf(openAuditLog({ dir }))).details).toMatchObject({ reason: "damaged", line: 3, problem: "schema" });
  });
});

describe("verifying while somebody writes", () => {
  it("never finds a fault in a good log", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, checkpointEvery: { events: 7 } });
    const stop = new AbortController();
    const writer = (async () => {
      for (let index = 0; !stop.signal.aborted; index += 1) await Promise.all([log.append(verified("a", index)), log.append(verified("b", index))]);
    })();
    for (let round = 0; round < 20 || log.head().size < 30; round += 1) expect((await verifyAuditLog({ dir })).problems).toEqual([]);
    stop.abort();
    await writer;
    await log.close();
    expect((await verifyAuditLog({ dir })).events).toBe(log.head().size);
  });
});
