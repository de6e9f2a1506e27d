import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type AuditEvent, openAuditLog, readAuditEvents, verifyAuditLog } from "../src/index.js";
import { openAuditLogOn } from "../src/log/open-audit-log.js";
import { deallocated, EVENTS, sealed, verified, violated } from "./support/events.js";
import { FaultLayer } from "./support/fault-layer.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, LOG, parseLines, readLog, scratch } from "./support/scratch.js";

const newDirectory = scratch();

async function checkpointSizes(dir: string): Promise<number[]> {
  const text = await readFile(join(dir, CHECKPOINTS), "utf8");
  return text
    .split("\n")
    .filter((_, index) => index % 5 === 1)
    .map(Number);
}

describe("appending", () => {
  it("WORKER-4160 test_seal_audited a seal is on the disk, in the chain and in the receipt when the promise resolves", async () => {
    const dir = join(newDirectory(), "log");
    await using log = await openAuditLog({ dir });
    const { sequence, hash } = await log.append(sealed("shard-0"));
    const lines = await readLog(dir);
    const [opened, seal] = parseLines(lines);
    expect([sequence, lines.length]).toEqual([2, 2]);
    expect([opened?.type, seal?.type, seal?.data["shardId"]]).toEqual(["vram.audit.opened", "vram.shard.sealed", "shard-0"]);
    expect([opened?.prevhash, seal?.prevhash]).toEqual(["0".repeat(64), createHash("sha256").update(lines[0] ?? "").digest("hex")]);
    expect(hash).toBe(createHash("sha256").update(lines[1] ?? "").digest("hex"));
  });

  it("RP-005 test_audit_trail keeps every type, in order, and reads them back", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    const receipts = await Promise.all(EVENTS.map((event) => log.append(event)));
    expect(receipts.map(({ sequence }) => sequence)).toEqual(EVENTS.map((_, index) => index + 2));
    await log.close();
    const read: unknown[] = [];
    for await (const { type, severity, data } of readAuditEvents({ dir })) read.push({ type, severity, data });
    expect(read.slice(1, -1)).toEqual(EVENTS);
    const report = await verifyAuditLog({ dir });
    expect([report.ok, report.events, report.closed]).toEqual([true, EVENTS.length + 2, true]);
  });

  it("makes the line durable before it answers", async () => {
    const layer = new FaultLayer();
    await using log = await openAuditLogOn(layer.wrap, { dir: join(newDirectory(), "log") });
    let release: () => void = () => undefined;
    layer.before = ({ name, operation }) =>
      name === LOG && operation === "datasync" ? new Promise((resolve) => (release = resolve)) : undefined;
    let answered = false;
    const receipt = log.append(verified("a")).then(() => (answered = true));
    await delay(50);
    expect(answered).toBe(false);
    layer.before = () => undefined;
    release();
    await receipt;
    expect(layer.count(LOG, "datasync")).toBeGreaterThan(0);
  });

  it("WORKER-4163 test_policy_violation_audited a critical event has a durable checkpoint before it answers", async () => {
    const layer = new FaultLayer();
    const dir = join(newDirectory(), "log");
    await using log = await openAuditLogOn(layer.wrap, { dir });
    layer.calls.length = 0;
    await log.append(verified("a"));
    expect(layer.count(CHECKPOINTS, "datasync")).toBe(0);
    await log.append(violated());
    const order = layer.calls.filter(({ operation }) => operation === "datasync").map(({ name }) => name);
    expect(order).toEqual([LOG, LOG, CHECKPOINTS]);
    expect((await verifyAuditLog({ dir })).linesAfterCheckpoint).toBe(0);
  });

  it("answers ordinary events of the same batch without waiting for the checkpoint", async () => {
    const layer = new FaultLayer();
    await using log = await openAuditLogOn(layer.wrap, { dir: join(newDirectory(), "log") });
    let release: () => void = () => undefined;
    layer.before = ({ name }) => (name === CHECKPOINTS ? new Promise((resolve) => (release = resolve)) : undefined);
    const critical = log.append(deallocated("a", { wiped: false }));
    await log.append(verified("a"));
    layer.before = () => undefined;
    release();
    await critical;
  });

  it("commits what waits together", async () => {
    const layer = new FaultLayer();
    await using log = await openAuditLogOn(layer.wrap, { dir: join(newDirectory(), "log") });
    layer.calls.length = 0;
    await Promise.all(Array.from({ length: 300 }, (_, index) => log.append(verified("a", index))));
    expect(layer.count(LOG, "datasync")).toBeLessThan(5);
    expect(log.head().size).toBe(301);
  });

  it("signs at least every so many events, however they arrive", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, checkpointEvery: { events: 10 } });
    await Promise.all(Array.from({ length: 95 }, (_, index) => log.append(verified("a", index))));
    const sizes = await checkpointSizes(dir);
    for (const [index, size] of sizes.entries()) expect(size - (sizes[index - 1] ?? 0)).toBeLessThanOrEqual(10);
    expect(sizes.at(-1)).toBeGreaterThan(86);
    await log.close();
  });

  it("signs after a while without further events", async () => {
    const dir = join(newDirectory(), "log");
    await using log = await openAuditLog({ dir, checkpointEvery: { milliseconds: 30 } });
    await log.append(verified("a"));
    await expect.poll(async () => (await checkpointSizes(dir)).at(-1), { timeout: 5000 }).toBe(2);
    expect(log.state).toBe("open");
  });

  it("signs nothing twice, also when a checkpoint falls due while another is written", async () => {
    const layer = new FaultLayer();
    const dir = join(newDirectory(), "log");
    await using log = await openAuditLogOn(layer.wrap, { dir, checkpointEvery: { milliseconds: 100 } });
    layer.before = ({ name, operation }) => (name === CHECKPOINTS && operation === "write" ? delay(300) : undefined);
    await log.append(verified("a"));
    await log.append(violated());
    await log.append(verified("b"));
    const sizes = await checkpointSizes(dir);
    expect(sizes).toContain(3);
    expect(new Set(sizes).size).toBe(sizes.length);
  });

  it("has the head that a verifier computes", async () => {
    const dir = join(newDirectory(), "log");
    await using log = await openAuditLog({ dir, origin: "example.org/worker-7" });
    await log.append(verified("a"));
    const { head, publicKey } = await verifyAuditLog({ dir });
    expect(log.head()).toEqual(head);
    expect(head.origin).toBe("example.org/worker-7");
    expect(log.verifierKey).toBe(publicKey);
    expect(await readFile(`${dir}.pub`, "utf8")).toBe(`${log.verifierKey}\n`);
  });

  it("refuses an event outside the vocabulary and goes on", async () => {
    const dir = join(newDirectory(), "log");
    await using log = await openAuditLog({ dir });
    const forged = { type: "vram.audit.closed", severity: "info", data: {} } as unknown as AuditEvent;
    expect((await auditErrorOf(log.append(forged))).code).toBe("INVALID_INPUT");
    expect((await log.append(verified("a"))).sequence).toBe(2);
    expect(log.state).toBe("open");
  });

  it("refuses more than it may hold in memory, and goes on when the disk does", async () => {
    const layer = new FaultLayer();
    await using log = await openAuditLogOn(layer.wrap, { dir: join(newDirectory(), "log") });
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    layer.before = () => gate;
    const first = log.append(verified("a"));
    await delay(20);
    const rest = Array.from({ length: 65_537 }, () => log.append(verified("a")));
    const outcomes = Promise.allSettled(rest);
    expect((await auditErrorOf(Promise.all(rest.slice(-1)))).details["reason"]).toBe("backlog");
    open();
    await first;
    expect((await outcomes).filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect((await log.append(verified("a"))).sequence).toBe(65_536 + 3);
  }, 60_000);
});

describe("closing", () => {
  it("writes what waits, the closing event and a checkpoint over it", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    const waiting = log.append(verified("a"));
    await log.close();
    expect((await waiting).sequence).toBe(2);
    expect(parseLines(await readLog(dir)).at(-1)?.type).toBe("vram.audit.closed");
    const { ok, closed, linesAfterCheckpoint } = await verifyAuditLog({ dir });
    expect([ok, closed, linesAfterCheckpoint]).toEqual([true, true, 0]);
  });

  it("is idempotent and ends appending", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    await Promise.all([log.close(), log.close()]);
    await log.close();
    expect(log.state).toBe("closed");
    const { code, details } = await auditErrorOf(log.append(verified("a")));
    expect([code, details["reason"]]).toEqual(["AUDIT_UNAVAILABLE", "closed"]);
    expect(await readLog(dir)).toHaveLength(2);
  });

  it("leaves files for this user only", async () => {
    const dir = join(newDirectory(), "log");
    await (await openAuditLog({ dir })).close();
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await mode(dir)).toBe(0o700);
    for (const name of [LOG, CHECKPOINTS, LEAVES]) expect(await mode(join(dir, name))).toBe(0o600);
    expect(await mode(`${dir}.key`)).toBe(0o600);
  });
});
