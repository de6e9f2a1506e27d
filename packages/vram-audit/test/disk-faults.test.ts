import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { openAuditLog, verifyAuditLog } from "../src/index.js";
import { openAuditLogOn } from "../src/log/open-audit-log.js";
import { sealed, verified, violated } from "./support/events.js";
import { FaultLayer } from "./support/fault-layer.js";
import { auditErrorOf, CHECKPOINTS, closeQuietly, LEAVES, LOG, parseLines, readLog, scratch } from "./support/scratch.js";

const newDirectory = scratch();

async function openFaulty() {
  const layer = new FaultLayer();
  const dir = join(newDirectory(), "log");
  const log = await openAuditLogOn(layer.wrap, { dir });
  await log.append(sealed("kept"));
  return { layer, dir, log };
}

describe("a disk that fails", () => {
  it.each([
    ["an error while writing", LOG, "write", "EIO"],
    ["an error while syncing", LOG, "datasync", "EIO"],
    ["an error while writing leaf hashes", LEAVES, "write", "EIO"],
  ] as const)("%s refuses the event and fails the log for good", async (_, name, operation, code) => {
    const { layer, dir, log } = await openFaulty();
    layer.failNext(name, operation, code);
    const error = await auditErrorOf(log.append(violated()));
    expect([error.code, error.details["errno"], error.details["file"]]).toEqual(["AUDIT_UNAVAILABLE", "EIO", name]);
    expect(log.state).toBe("failed");
    expect(log.signal.reason).toBe(error);
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain("/somewhere");
    const before = layer.calls.length;
    expect((await auditErrorOf(log.append(verified("later")))).code).toBe("AUDIT_UNAVAILABLE");
    expect(layer.calls).toHaveLength(before);
    await log.close();
    await recovers(dir);
  });

  it("a full disk: the whole batch is refused and what was written of it is cut off", async () => {
    const { layer, dir, log } = await openFaulty();
    const good = await readFile(join(dir, LOG));
    layer.room = 700;
    const wrote = layer.calls.length;
    const batch = await Promise.allSettled([log.append(verified("a")), log.append(verified("b")), log.append(verified("c"))]);
    expect(batch.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(layer.calls.slice(wrote).map(({ operation }) => operation)).toEqual(["write", "write", "truncate"]);
    expect(await readFile(join(dir, LOG))).toEqual(good);
    expect(log.state).toBe("failed");
    await log.close();
    await recovers(dir);
  });

  it("a full disk whose half-written batch cannot be cut either: the next opening cuts it", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 100;
    layer.failNext(LOG, "truncate", "EIO");
    expect((await auditErrorOf(log.append(verified("a")))).code).toBe("AUDIT_UNAVAILABLE");
    await log.close();
    expect(await recovers(dir)).toMatchObject({ cutBytes: 100 });
  });

  it("a short write that is not the end goes on where it stopped", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 300;
    layer.before = ({ name, operation }) => {
      if (name === LOG && operation === "write" && layer.room === 0) layer.room = Number.POSITIVE_INFINITY;
    };
    expect((await log.append(verified("a"))).sequence).toBe(3);
    await log.close();
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
  });

  it("a critical event is refused when its checkpoint cannot be made durable", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.failNext(CHECKPOINTS, "datasync", "EIO");
    expect((await auditErrorOf(log.append(violated()))).details["file"]).toBe(CHECKPOINTS);
    await log.close();
    await recovers(dir);
  });

  it("a checkpoint that fails in the background fails the log and fires its signal", async () => {
    const layer = new FaultLayer();
    const log = await openAuditLogOn(layer.wrap, { dir: join(newDirectory(), "log"), checkpointEvery: { milliseconds: 20 } });
    await log.append(verified("a"));
    layer.failNext(CHECKPOINTS, "write", "ENOSPC");
    await expect.poll(() => log.signal.aborted, { timeout: 5000 }).toBe(true);
    expect(log.state).toBe("failed");
    await log.close();
  });

  it.each([LOG, CHECKPOINTS])("an end that cannot be made durable in %s is told, and the next writer gets in", async (file) => {
    const { layer, dir, log } = await openFaulty();
    layer.failNext(file, "datasync", "EIO");
    expect((await auditErrorOf(log.close())).code).toBe("AUDIT_UNAVAILABLE");
    await recovers(dir);
  });

  it("a log that cannot be begun leaves nothing locked", async () => {
    const layer = new FaultLayer();
    const dir = join(newDirectory(), "log");
    layer.failNext(LOG, "write", "EIO");
    expect((await auditErrorOf(openAuditLogOn(layer.wrap, { dir }))).code).toBe("AUDIT_UNAVAILABLE");
    const log = await openAuditLog({ dir });
    expect(log.head().size).toBe(1);
    await log.close();
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
  });

  it("the kernel's own file size limit: acknowledged events stay, the others are refused", async () => {
    const dir = join(newDirectory(), "log");
    const writer = new URL("support/limited-writer.mjs", import.meta.url).pathname;
    // The reserve just fits: about ten long lines, then a write that is cut short, then EFBIG.
    const { stdout, stderr, status } = spawnSync("bash", ["-c", 'ulimit -f 1024; exec "$0" "$@"', process.execPath, writer, dir], { encoding: "utf8" });
    expect([stderr, status]).toEqual(["", 0]);
    const { acknowledged, code, errno } = JSON.parse(stdout) as { acknowledged: number; code: string; errno: string };
    expect(acknowledged).toBeGreaterThan(5);
    expect([code, errno]).toEqual(["AUDIT_UNAVAILABLE", "EFBIG"]);
    expect(await readLog(dir)).toHaveLength(acknowledged + 1);
    await recovers(dir);
  });
});

/** Opens the log again: every line that was acknowledged is there, the chain holds, and the unclean end is told. */
async function recovers(dir: string): Promise<Record<string, unknown>> {
  const log = await openAuditLog({ dir });
  await closeQuietly(log);
  const { ok, problems } = await verifyAuditLog({ dir });
  expect([ok, problems]).toEqual([true, []]);
  const recovered = parseLines(await readLog(dir)).find(({ type }) => type === "vram.audit.recovered");
  expect(recovered?.data).toMatchObject({ uncleanEnd: true });
  return recovered?.data ?? {};
}
