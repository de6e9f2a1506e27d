import { chmod, link, mkdir, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { directoryAnchor, openAuditLog, readAnchor, verifyAuditLog } from "../src/index.js";
import { madeUp, never, openAnchored } from "./support/anchors.js";
import { violated } from "./support/events.js";
import { sampleNotes } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, readLog, scratch, writeLog } from "./support/scratch.js";

const newDirectory = scratch();
const ANCHOR = "audit-v1.checkpoint";

describe("a directory as anchor", () => {
  it("has the newest checkpoint, for its user alone, and nothing else", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const { dir, log } = await openAnchored(newDirectory(), directoryAnchor(elsewhere));
    await log.append(violated());
    await log.close();
    const [newest] = (await sampleNotes(dir)).slice(-1);
    expect(await readdir(elsewhere)).toEqual([ANCHOR]);
    for (const path of [elsewhere, join(elsewhere, ANCHOR)]) expect(await readAnchor(path)).toBe(newest);
    expect([(await stat(elsewhere)).mode & 0o777, (await stat(join(elsewhere, ANCHOR))).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it("shows a tail that was cut with the log's own checkpoints, to a verifier and to the next writer", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const { dir, log } = await openAnchored(newDirectory(), directoryAnchor(elsewhere));
    await log.append(violated());
    await log.close();
    const [lines, notes] = [await readLog(dir), await sampleNotes(dir)];
    await writeFile(join(dir, CHECKPOINTS), notes.slice(0, -1).join(""));
    await writeLog(dir, lines.slice(0, -1));
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
    const { ok, problems } = await verifyAuditLog({ dir, checkpoint: await readAnchor(elsewhere) });
    expect([ok, problems[0]?.line, problems[0]?.reason]).toEqual([false, lines.length, "truncated"]);
    const opening = openAuditLog({ dir, anchors: [directoryAnchor(elsewhere)] });
    expect((await auditErrorOf(opening)).details).toMatchObject({ reason: "damaged", line: lines.length, problem: "truncated" });
    expect(await readAnchor(elsewhere)).toBe(notes.at(-1));
  });

  it("shows a log that was begun anew under the same key", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const { dir, log } = await openAnchored(newDirectory(), directoryAnchor(elsewhere));
    await log.close();
    await rm(dir, { recursive: true });
    const opening = openAuditLog({ dir, anchors: [directoryAnchor(elsewhere)] });
    expect((await auditErrorOf(opening)).details).toMatchObject({ reason: "damaged", line: 1, problem: "truncated" });
  });

  it("that cannot be read keeps the log from opening if it is required, and else shows as failing", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    await writeFile(elsewhere, "");
    const home = newDirectory();
    const opening = openAuditLog({ dir: join(home, "log"), anchors: [directoryAnchor(elsewhere, { required: true })] });
    expect((await auditErrorOf(opening)).details).toMatchObject({ reason: "file", errno: "ENOTDIR" });
    const { log } = await openAnchored(home, directoryAnchor(elsewhere));
    await log.close();
    expect(log.anchors[0]).toMatchObject({ keptSize: 0, lastFailure: "ENOTDIR" });
  });

  it("that could not be read when the log was opened keeps what it has, though it is back", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const home = newDirectory();
    const { log } = await openAnchored(home, directoryAnchor(elsewhere));
    await log.close();
    const kept = await readAnchor(elsewhere);
    await chmod(elsewhere, 0o755);
    const { log: next } = await openAnchored(home, directoryAnchor(elsewhere));
    await chmod(elsewhere, 0o700);
    await next.append(violated());
    await next.close();
    expect(next.anchors[0]).toMatchObject({ keptSize: 0, lastFailure: "PERMISSIONS" });
    expect(await readAnchor(elsewhere)).toBe(kept);
    const { log: last } = await openAnchored(home, directoryAnchor(elsewhere));
    await last.close();
    expect(last.anchors[0]).toMatchObject({ failures: 0, lastFailure: null });
  });

  it("with what the log's key did not sign keeps it", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const forged = madeUp(1).note.replaceAll("example.org/log", "example.org/mine");
    await mkdir(elsewhere, { mode: 0o700 });
    await writeFile(join(elsewhere, ANCHOR), forged, { mode: 0o600 });
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, origin: "example.org/mine", anchors: [directoryAnchor(elsewhere)] });
    await log.append(violated());
    await log.close();
    expect(log.anchors[0]).toMatchObject({ keptSize: 0, lastFailure: "FOREIGN" });
    expect(await readAnchor(elsewhere)).toBe(forged);
    const opening = openAuditLog({ dir, anchors: [directoryAnchor(elsewhere, { required: true })] });
    expect((await auditErrorOf(opening)).details["reason"]).toBe("foreign");
  });

  it("with a checkpoint of lines that were removed keeps it: the log cannot be compared with it any more", async () => {
    const elsewhere = join(newDirectory(), "anchor");
    const dir = join(newDirectory(), "log");
    const options = { dir, rotate: { bytes: 2000 }, retain: { segments: 2 } };
    await (await openAuditLog({ ...options, anchors: [directoryAnchor(elsewhere)] })).close();
    const kept = await readAnchor(elsewhere);
    const rotating = await openAuditLog(options);
    for (let index = 0; index < 30; index += 1) await rotating.append(violated());
    await rotating.close();
    expect((await verifyAuditLog({ dir })).removed).toBeGreaterThan(2);
    const log = await openAuditLog({ ...options, anchors: [directoryAnchor(elsewhere)] });
    await log.close();
    expect(log.anchors[0]?.lastFailure).toBe("REMOVED");
    expect(await readAnchor(elsewhere)).toBe(kept);
  });

  it.each([
    ["fewer lines", madeUp(6), "rollback"],
    ["another log", { ...madeUp(8), origin: "example.org/other" }, "origin"],
    ["another history", { ...madeUp(7), root: Buffer.alloc(32) }, "fork"],
  ] as const)("refuses a checkpoint of %s and keeps what it has", async (_, checkpoint, reason) => {
    const dir = join(newDirectory(), "anchor");
    const anchor = directoryAnchor(dir);
    await anchor.keep(madeUp(7), never);
    const before = await readAnchor(dir);
    expect((await auditErrorOf(anchor.keep(checkpoint, never))).details["reason"]).toBe(reason);
    expect(await readAnchor(dir)).toBe(before);
    await anchor.keep(madeUp(7), never);
    await anchor.keep(madeUp(8), never);
    expect(await readAnchor(dir)).toBe(madeUp(8).note);
  });

  it("goes on over what a crash left half-written, and not over a file that holds no checkpoint", async () => {
    const dir = join(newDirectory(), "anchor");
    const anchor = directoryAnchor(dir);
    await anchor.keep(madeUp(7), never);
    await writeFile(join(dir, `${ANCHOR}.next`), "x".repeat(1000), { mode: 0o600 });
    await anchor.keep(madeUp(8), never);
    expect(await readAnchor(dir)).toBe(madeUp(8).note);
    await writeFile(join(dir, ANCHOR), "example.org/log\n");
    expect((await auditErrorOf(anchor.keep(madeUp(9), never))).details["reason"]).toBe("damaged");
  });

  it.each([
    ["a directory others can enter", async (dir: string) => mkdir(dir, { mode: 0o750 })],
    ["a symbolic link", async (dir: string) => symlink(join(dir, ".."), dir)],
    ["a file", async (dir: string) => writeFile(dir, "")],
    ["a file others can read in it", async (dir: string) => { await mkdir(dir, { mode: 0o700 }); await writeFile(join(dir, ANCHOR), ""); await chmod(join(dir, ANCHOR), 0o644); }],
    ["a linked file in it", async (dir: string) => { await mkdir(dir, { mode: 0o700 }); await writeFile(`${dir}.other`, "", { mode: 0o600 }); await link(`${dir}.other`, join(dir, ANCHOR)); }],
    ["a link for its next file", async (dir: string) => { await mkdir(dir, { mode: 0o700 }); await symlink(`${dir}.other`, join(dir, `${ANCHOR}.next`)); }],
  ])("is refused when there is %s", async (_, make) => {
    const dir = join(newDirectory(), "anchor");
    await make(dir);
    const error = await auditErrorOf(directoryAnchor(dir).keep(madeUp(1), never));
    expect(error.code).toBe("AUDIT_UNAVAILABLE");
    expect(error.message).not.toContain("/");
  });
});
