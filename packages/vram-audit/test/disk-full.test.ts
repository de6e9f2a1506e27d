import { spawnSync } from "node:child_process";
import { stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AuditEvent, openAuditLog, verifyAuditLog } from "../src/index.js";
import { itWhere } from "../../vram-seal/test/support/tool.js";
import { openAuditLogOn } from "../src/log/open-audit-log.js";
import { RESERVE_BYTES } from "../src/storage/reserve.js";
import { verified, violated } from "./support/events.js";
import { FaultLayer } from "./support/fault-layer.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, LOG, parseLines, readLog, scratch } from "./support/scratch.js";

const RESERVE = "audit-v1.reserve";
const UNSHARE = ["--map-root-user", "--mount"];
const newDirectory = scratch();

async function openFaulty(options = {}) {
  const layer = new FaultLayer();
  const dir = join(newDirectory(), "log");
  const log = await openAuditLogOn(layer.wrap, { dir, ...options });
  await log.append(verified("kept"));
  return { layer, dir, log };
}

async function reserveBytes(dir: string): Promise<number> {
  return (await stat(join(dir, RESERVE))).size;
}

/** The types in the log after the next opening, which must find nothing wrong. */
async function typesAfterReopening(dir: string): Promise<readonly string[]> {
  await (await openAuditLog({ dir })).close();
  expect(await reserveBytes(dir)).toBe(RESERVE_BYTES);
  const { ok, problems } = await verifyAuditLog({ dir });
  expect([ok, problems]).toEqual([true, []]);
  return parseLines(await readLog(dir)).map(({ type }) => type.replace("vram.", ""));
}

const END = ["audit.opened", "audit.recovered", "audit.closed"];

/** A critical event of about 25 kB. */
function longViolation(): AuditEvent {
  const violations = Array.from({ length: 100 }, (_, index) => ({ rule: index.toString().padEnd(200, "x"), reason: "r" }));
  return { type: "vram.policy.violation", severity: "critical", data: { stage: "open", shardId: null, violations } };
}

const itWithMounts = itWhere(spawnSync("unshare", [...UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0);

describe("the reserve", () => {
  it("takes its room on the disk, for this user only, and again when it is short", async () => {
    const dir = join(newDirectory(), "log");
    await (await openAuditLog({ dir })).close();
    const { size, blocks, mode } = await stat(join(dir, RESERVE));
    expect([size, blocks * 512 >= RESERVE_BYTES, mode & 0o777]).toEqual([RESERVE_BYTES, true, 0o600]);
    await truncate(join(dir, RESERVE), 10);
    await (await openAuditLog({ dir })).close();
    expect(await reserveBytes(dir)).toBe(RESERVE_BYTES);
  });

  it("is needed to open a log; the error says what to do", async () => {
    const layer = new FaultLayer();
    layer.room = RESERVE_BYTES - 1;
    const { code, details, message } = await auditErrorOf(openAuditLogOn(layer.wrap, { dir: join(newDirectory(), "log") }));
    expect([code, details]).toEqual(["AUDIT_UNAVAILABLE", { reason: "full", file: RESERVE, errno: "ENOSPC" }]);
    expect(message).toBe(`there is no room for "${RESERVE}": free 1048576 bytes on the audit log's file system`);
    expect(layer.room).toBe(RESERVE_BYTES - 1);
  });
});

describe("a full disk", () => {
  it("takes the critical events of a batch all the same, refuses the others, and fails the log", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 0;
    const batch = await Promise.allSettled([log.append(verified("a")), log.append(violated()), log.append(verified("b")), log.append(violated())]);
    expect(batch.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"]);
    expect(log.state).toBe("failed");
    expect((log.signal.reason as { details: unknown }).details).toEqual({ reason: "full", file: LOG, errno: "ENOSPC" });
    expect((await auditErrorOf(log.append(verified("c")))).details["reason"]).toBe("full");
    expect((await log.append(violated())).sequence).toBe(5);
    await log.close();
    expect(await reserveBytes(dir)).toBe(0);
    expect((await verifyAuditLog({ dir })).linesAfterCheckpoint).toBe(0);
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", ...Array<string>(3).fill("policy.violation"), ...END]);
  });

  it("that refused ordinary events takes critical ones that come later, until there is no room for them either", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 0;
    expect((await auditErrorOf(log.append(verified("a")))).details["reason"]).toBe("full");
    expect([log.state, log.signal.aborted]).toEqual(["failed", true]);
    const late = await Promise.allSettled([log.append(verified("b")), log.append(violated())]);
    expect(late.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    layer.room = 0;
    expect((await auditErrorOf(log.append(violated()))).details["reason"]).toBe("full");
    layer.room = Number.POSITIVE_INFINITY;
    expect((await auditErrorOf(log.append(violated()))).details["reason"]).toBe("full");
    await log.close();
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", "policy.violation", ...END]);
  });

  it("writes nothing over a tail that cannot be cut off", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 300;
    layer.before = ({ operation }) => {
      if (operation === "truncate") throw Object.assign(new Error("EIO"), { code: "EIO" });
    };
    expect((await auditErrorOf(log.append(violated()))).details).toEqual({ reason: "file", file: LOG, errno: "ENOSPC" });
    layer.room = Number.POSITIVE_INFINITY;
    expect((await auditErrorOf(log.append(violated()))).details["reason"]).toBe("file");
    await log.close();
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", ...END]);
  });

  it("that shows as a log is opened refuses the opening, and the next one until there is room", async () => {
    const { dir, log } = await openFaulty();
    await log.close();
    const layer = new FaultLayer();
    layer.room = 0;
    for (const file of [LOG, RESERVE]) {
      const { details } = await auditErrorOf(openAuditLogOn(layer.wrap, { dir }));
      expect(details).toEqual({ reason: "full", file, errno: "ENOSPC" });
      layer.room = 0;
    }
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", "audit.closed", "audit.opened", ...END]);
  });

  it("leaves the reserve alone for a batch without critical events", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 0;
    expect((await auditErrorOf(log.append(verified("a")))).details["reason"]).toBe("full");
    await log.close();
    expect(await reserveBytes(dir)).toBe(RESERVE_BYTES);
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", ...END]);
  });

  it.each([LEAVES, CHECKPOINTS])("that shows only in %s does not keep a critical event from being answered", async (file) => {
    const { layer, dir, log } = await openFaulty();
    layer.failNext(file, "write", "ENOSPC");
    expect((await log.append(violated())).sequence).toBe(3);
    expect(log.state).toBe("failed");
    await log.close();
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", "policy.violation", ...END]);
  });

  it("that shows in a rotation takes the record of it and the critical event behind", async () => {
    const { layer, dir, log } = await openFaulty({ rotate: { bytes: 1 } });
    layer.room = 0;
    expect((await log.append(violated())).sequence).toBe(5);
    await log.close();
    expect(await typesAfterReopening(dir)).toEqual([
      ...["audit.opened", "audit.rotated", "shard.verified", "audit.rotated", "policy.violation"],
      ...END,
    ]);
  });

  it("takes the end of the log", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 0;
    await log.close();
    const { ok, closed } = await verifyAuditLog({ dir });
    expect([ok, closed]).toEqual([true, true]);
  });

  it("refuses more critical events than the reserve holds, all of them", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.room = 0;
    const batch = await Promise.allSettled(Array.from({ length: 60 }, () => log.append(longViolation())));
    expect(new Set(batch.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    await log.close();
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", ...END]);
  });

  it("that takes nothing after the reserve is gone either refuses the event, which is not written twice", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.before = ({ name, operation }) => {
      if (name === LEAVES && operation === "write") throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    expect((await auditErrorOf(log.append(violated()))).details).toEqual({ reason: "full", file: LEAVES, errno: "ENOSPC" });
    await log.close();
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", "policy.violation", ...END]);
  });

  it("that shows in a sync is not tried again", async () => {
    const { layer, dir, log } = await openFaulty();
    layer.failNext(LOG, "datasync", "ENOSPC");
    expect((await auditErrorOf(log.append(violated()))).details["reason"]).toBe("file");
    await log.close();
    expect(await reserveBytes(dir)).toBe(RESERVE_BYTES);
    expect(await typesAfterReopening(dir)).toEqual(["audit.opened", "shard.verified", ...END]);
  });

  itWithMounts("of the kernel's own, 3 MiB of tmpfs, behaves so too", () => {
    const folder = newDirectory();
    const writer = new URL("support/full-disk-writer.mjs", import.meta.url).pathname;
    const command = 'mount -t tmpfs -o size=3m,mode=0700 tmpfs "$1" && exec "$0" "$2" "$1/log"';
    const { stdout, stderr, status } = spawnSync("unshare", [...UNSHARE, "sh", "-c", command, process.execPath, folder, writer], { encoding: "utf8" });
    expect([stderr, status]).toEqual(["", 0]);
    const full = "AUDIT_UNAVAILABLE full ENOSPC";
    expect(JSON.parse(stdout)).toEqual({
      batch: [full, "good", full],
      after: ["failed", full, "good"],
      reopened: [full],
      ok: true,
      closed: true,
      types: [
        ...["vram.audit.opened", "vram.allocation.failed", "vram.policy.violation", "vram.policy.violation"],
        ...["vram.audit.opened", "vram.audit.recovered", "vram.policy.violation", "vram.audit.closed"],
      ],
    });
  });
});
