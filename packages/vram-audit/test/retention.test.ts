import { createHash, generateKeyPairSync } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AuditError, type AuditLog, type AuditRetired, openAuditLog, readAuditEvents, verifyAuditLog } from "../src/index.js";
import { draftLine, placeLine } from "../src/events/line.js";
import { openAuditLogOn } from "../src/log/open-audit-log.js";
import { leafHash, MerkleTree } from "../src/tree/merkle-tree.js";
import { deallocated, sealed, verified } from "./support/events.js";
import { FaultLayer } from "./support/fault-layer.js";
import { copyLog } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, LOG, parseLines, readLog, readSegment, scratch, segmentNames } from "./support/scratch.js";

const newDirectory = scratch();
const OPTIONS = { rotate: { bytes: 2000 }, retain: { segments: 3 }, checkpointEvery: { events: 5 } };

interface RetiringLog {
  readonly dir: string;
  /** Every segment as it was when it was last seen, the removed ones included. */
  readonly archive: ReadonlyMap<string, Buffer>;
}

/** A closed log from which retention has removed segments. */
async function retiringLog(first: (log: AuditLog) => Promise<void> = () => Promise.resolve()): Promise<RetiringLog> {
  const dir = join(newDirectory(), "log");
  const archive = new Map<string, Buffer>();
  const log = await openAuditLog({ dir, ...OPTIONS });
  await first(log);
  for (let index = 0; index < 25; index += 1) {
    for (const name of await segmentNames(dir)) archive.set(name, await readFile(join(dir, name)));
    await log.append(verified("a", index));
  }
  await log.close();
  return { dir, archive };
}

/** The lines before the first one that is there. */
async function removedLines(dir: string): Promise<number> {
  return Number((await segmentNames(dir))[0]?.split(".")[1]) - 1;
}

async function retiredRecords(dir: string): Promise<readonly AuditRetired["data"][]> {
  const retired = parseLines(await readLog(dir)).filter(({ type }) => type === "vram.audit.retired");
  return retired.map(({ data }) => data as AuditRetired["data"]);
}

async function firstProblem(dir: string): Promise<unknown> {
  const [problem] = (await verifyAuditLog({ dir })).problems;
  return problem && [problem.line, problem.reason];
}

async function expectGood(dir: string): Promise<void> {
  expect(await firstProblem(dir)).toBeUndefined();
}

describe("retention", () => {
  it("keeps the newest segments; a verifier checks what is left and says how much was removed", async () => {
    const { dir } = await retiringLog();
    const names = await segmentNames(dir);
    expect(names).toHaveLength(OPTIONS.retain.segments);
    const lines = await readLog(dir);
    const removed = await removedLines(dir);
    expect(removed).toBeGreaterThan(10);
    const report = await verifyAuditLog({ dir });
    expect(report).toMatchObject({ ok: true, problems: [], removed, events: lines.length, closed: true, linesAfterCheckpoint: 0 });
    expect(report.head.size).toBe(removed + lines.length);
    const sequences: number[] = [];
    for await (const { sequence } of readAuditEvents({ dir })) sequences.push(Number(sequence));
    expect(sequences).toEqual(lines.map((_, index) => removed + index + 1));
  });

  it("records each removed file's lines, bytes and SHA-256, and the tree's root", async () => {
    const { dir, archive } = await retiringLog();
    const records = await retiredRecords(dir);
    expect(records.length).toBeGreaterThan(1);
    for (const { segments } of records) {
      for (const { first, last, bytes, sha256 } of segments) {
        const content = archive.get(`audit-v1.${first.toString().padStart(16, "0")}.jsonl`) ?? Buffer.alloc(0);
        const seen = [content.length, content.toString().split("\n").length - 1, createHash("sha256").update(content).digest("hex")];
        expect(seen).toEqual([bytes, last - first + 1, sha256]);
      }
    }
    const removed = Array.from(archive.values()).join("").split("\n").slice(0, await removedLines(dir));
    const tree = new MerkleTree();
    for (const line of removed) tree.push(leafHash(Buffer.from(line)));
    expect(records.at(-1)).toMatchObject({ root: tree.root().toString("hex"), segments: [{ last: removed.length }] });
  });

  it("removes nothing before the record is under a checkpoint; an end before that is made good by the next opening", async () => {
    const layer = new FaultLayer();
    const dir = join(newDirectory(), "log");
    const log = await openAuditLogOn(layer.wrap, { dir, rotate: { bytes: 1 }, retain: { segments: 1 } });
    await log.append(verified("a"));
    const before = await segmentNames(dir);
    let there: readonly string[] = [];
    layer.before = async ({ name, operation }) => {
      if (name !== CHECKPOINTS || operation !== "datasync") return;
      there = await segmentNames(dir);
      throw Object.assign(new Error("EIO"), { code: "EIO" });
    };
    await auditErrorOf(log.append(verified("b")));
    expect(there.slice(0, before.length)).toEqual(before);
    expect((await segmentNames(dir)).slice(0, before.length)).toEqual(before);
    await log.close();
    expect(await retiredRecords(dir)).toHaveLength(2);
    await (await openAuditLog({ dir })).close();
    expect(await segmentNames(dir)).toEqual(there.slice(-1));
    await expectGood(dir);
  });

  it("that ended while it removed files is good before and after the next opening", async () => {
    const { dir, archive } = await retiringLog();
    const removed = await removedLines(dir);
    const restored = Array.from(archive.keys()).filter((name) => Number(name.split(".")[1]) <= removed).slice(-1);
    for (const name of restored) await writeFile(join(dir, name), archive.get(name) ?? "", { mode: 0o600 });
    const partly = await verifyAuditLog({ dir });
    expect([partly.ok, partly.removed < removed, partly.removed > 0]).toEqual([true, true, true]);
    await (await openAuditLog({ dir })).close();
    expect(await removedLines(dir)).toBe(removed);
    await expectGood(dir);
  });

  it("goes on after a restart, and names what is live although the seal's line is gone", async () => {
    const { dir } = await retiringLog(async (log) => {
      for (const shardId of ["gone", "left"]) await log.append(sealed(shardId));
      await log.append(deallocated("gone", { wiped: true }));
    });
    expect((await readLog(dir)).some((line) => line.includes('"type":"vram.shard.sealed"'))).toBe(false);
    const log = await openAuditLog({ dir, ...OPTIONS });
    const recovered = parseLines(await readLog(dir)).findLast(({ type }) => type === "vram.audit.recovered");
    expect(recovered?.data).toEqual({ cutBytes: 0, liveShards: ["left"], uncleanEnd: false });
    const removed = await removedLines(dir);
    for (let index = 0; index < 10; index += 1) await log.append(verified("b", index));
    await log.close();
    expect(await removedLines(dir)).toBeGreaterThan(removed);
    await expectGood(dir);
  });

  it("leaves a log that names its key, and is continued with no other", async () => {
    const { dir } = await retiringLog();
    const { publicKey } = await verifyAuditLog({ dir });
    await rm(`${dir}.pub`);
    expect(await verifyAuditLog({ dir })).toMatchObject({ ok: true, keyFrom: "log", publicKey });
    const { privateKey } = generateKeyPairSync("ed25519");
    expect((await auditErrorOf(openAuditLog({ dir, signingKey: privateKey }))).details["argument"]).toBe("signingKey");
    expect((await auditErrorOf(openAuditLog({ dir, origin: "other" }))).details["argument"]).toBe("origin");
  });
});

describe("retention while somebody verifies", () => {
  it("never makes a good log look faulty: it verifies, or a segment went from under the reader", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 1 }, retain: { segments: 2 } });
    const stop = new AbortController();
    const writer = (async () => {
      while (!stop.signal.aborted) await log.append(verified("a"));
    })();
    let verifications = 0;
    for (let round = 0; round < 50 || verifications < 5; round += 1) {
      const outcome = await verifyAuditLog({ dir }).catch((error: unknown) => error as AuditError);
      if (outcome instanceof Error) {
        expect(outcome.details["reason"]).toBe("missing");
        continue;
      }
      expect(outcome.problems).toEqual([]);
      verifications += 1;
    }
    stop.abort();
    await writer;
    await log.close();
    await expectGood(dir);
  });
});

describe("a log whose beginning was removed by record", () => {
  it("shows a further segment that is gone without one, also to who opens it", async () => {
    const { dir } = await retiringLog();
    const removed = await removedLines(dir);
    await rm(join(dir, (await segmentNames(dir))[0] ?? ""));
    expect(await firstProblem(dir)).toEqual([removed + 1, "removed"]);
    expect((await auditErrorOf(openAuditLog({ dir }))).details).toMatchObject({ reason: "damaged", line: removed + 1, problem: "removed" });
  });

  it("shows a segment that is gone by a record that nobody signed", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 2000 } });
    for (let index = 0; index < 12; index += 1) await log.append(verified("a", index));
    const lines = await readLog(dir);
    const names = await segmentNames(dir);
    const root = "00".repeat(32);
    const segment = { first: 1, last: (await readSegment(dir, LOG)).length, bytes: 1, sha256: root };
    const draft = draftLine({ type: "vram.audit.retired", severity: "info", data: { segments: [segment], root } }, "x", { time: new Date(), elapsedMs: 1_000_000 });
    const forged = placeLine(draft, lines.length + 1, createHash("sha256").update(lines.at(-1) ?? "").digest("hex"));
    const copy = join(newDirectory(), "log");
    await copyLog(dir, copy);
    await log.close();
    const last = names.at(-1) ?? "";
    await writeFile(join(copy, last), `${await readFile(join(copy, last), "utf8")}${forged.toString()}\n`);
    await rm(join(copy, LOG));
    expect(await firstProblem(copy)).toEqual([1, "removed"]);
  });

  it("shows a changed byte of any line, with and without the leaf hashes", async () => {
    const { dir } = await retiringLog();
    const removed = await removedLines(dir);
    let number = removed;
    for (const name of await segmentNames(dir)) {
      const content = await readFile(join(dir, name));
      let start = 0;
      for (const line of await readSegment(dir, name)) {
        number += 1;
        const damaged = Buffer.from(content);
        const at = start + line.indexOf('"time":"') + 10;
        damaged[at] = (damaged[at] ?? 0) ^ 1;
        await writeFile(join(dir, name), damaged);
        expect((await verifyAuditLog({ dir })).problems[0]).toMatchObject({ line: number, segment: name });
        start += Buffer.byteLength(line) + 1;
      }
      await writeFile(join(dir, name), content);
    }
    await rm(join(dir, LEAVES));
    await expectGood(dir);
  });

  it("shows another tree than the one that was removed", async () => {
    const { dir } = await retiringLog();
    const removed = await removedLines(dir);
    const [name = ""] = await segmentNames(dir);
    const content = await readFile(join(dir, name), "utf8");
    for (const subtrees of ["[]", `["${"00".repeat(32)}"]`]) {
      await writeFile(join(dir, name), content.replace(/"subtrees":\[[^\]]*\]/, `"subtrees":${subtrees}`));
      expect((await verifyAuditLog({ dir })).problems[0]?.line).toBe(removed + 1);
    }
  });

  it("gets leaf hashes for what is left when the file is gone", async () => {
    const { dir } = await retiringLog();
    await rm(join(dir, LEAVES));
    await (await openAuditLog({ dir })).close();
    await expectGood(dir);
    const [name = ""] = await segmentNames(dir);
    const content = await readFile(join(dir, name), "utf8");
    const removed = await removedLines(dir);
    await writeFile(join(dir, name), content.replace('"vramBytes":4096', '"vramBytes":4095'));
    const changed = content.split("\n").findIndex((line) => line.includes('"vramBytes":4096'));
    expect(await firstProblem(dir)).toEqual([removed + changed + 1, "altered"]);
  });

  it("is compared with a checkpoint from elsewhere, unless that is over removed lines only", async () => {
    const { dir } = await retiringLog();
    const notes = (await readFile(join(dir, CHECKPOINTS), "utf8")).split(/(?<==\n)(?=vram)/);
    expect((await verifyAuditLog({ dir, checkpoint: notes.at(-2) ?? "" })).ok).toBe(true);
    const { code, details } = await auditErrorOf(verifyAuditLog({ dir, checkpoint: notes[0] ?? "" }));
    expect([code, details]).toEqual(["INVALID_INPUT", { argument: "options.checkpoint", removed: await removedLines(dir) }]);
  });

  it("tells a reader from under which a segment is removed to begin again", async () => {
    const { dir } = await retiringLog();
    const [, second = ""] = await segmentNames(dir);
    const events = readAuditEvents({ dir });
    await events.next();
    await rm(join(dir, second));
    const rest = (async () => {
      for await (const event of events) expect(event).toBeDefined();
    })();
    expect((await auditErrorOf(rest)).details).toEqual({ reason: "missing", file: second });
  });
});
