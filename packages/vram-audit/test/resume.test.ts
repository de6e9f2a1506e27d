import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type AuditVerification, openAuditLog, verifyAuditLog } from "../src/index.js";
import { verified } from "./support/events.js";
import { sampleNotes, sharedLog } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, parseLines, readSegment, scratch, segmentNames } from "./support/scratch.js";

const newDirectory = scratch();
const { dir: sharedDir, copy } = sharedLog(async (dir) => {
  const log = await openAuditLog({ dir, checkpointEvery: { events: 5 }, rotate: { bytes: 3000 } });
  for (let index = 0; index < 40; index += 1) await log.append(verified("a", index));
  await log.close();
});
let sample = "";
let names: readonly string[] = [];
let notes: readonly string[] = [];

beforeAll(async () => {
  sample = sharedDir();
  names = await segmentNames(sample);
  notes = await sampleNotes(sample);
});

function sizeOf(note: string): number {
  return Number(note.split("\n")[1]);
}

function firstOf(name: string | undefined): number {
  return Number(name?.split(".")[1]);
}

/** The first checkpoint of at least as many lines as there are up to the middle segment's third. */
function trusted(): string {
  const line = firstOf(names[names.length >> 1]) + 2;
  return notes.find((note) => sizeOf(note) >= line) ?? "";
}

/** Lines before the segment with the checkpoint's last one. */
function skippedBy(checkpoint: string): number {
  return firstOf(names.findLast((name) => firstOf(name) <= sizeOf(checkpoint))) - 1;
}

function resume(dir: string, checkpoint: string): Promise<AuditVerification> {
  return verifyAuditLog({ dir, checkpoint, resume: true });
}

async function writeSegment(dir: string, name: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(dir, name), lines.map((line) => `${line}\n`).join(""));
}

describe("a verification that resumes from a checkpoint", () => {
  it("ends as a whole one does, and says what it passed over and what is not anchored", async () => {
    const whole = await verifyAuditLog({ dir: sample });
    expect([whole.ok, whole.anchored, whole.linesSkipped]).toEqual([true, null, 0]);
    for (const checkpoint of notes) {
      const size = sizeOf(checkpoint);
      const anchored = { size, linesAfter: whole.events - size };
      expect(await verifyAuditLog({ dir: sample, checkpoint })).toEqual({ ...whole, anchored });
      expect(await resume(sample, checkpoint)).toEqual({ ...whole, anchored, linesSkipped: skippedBy(checkpoint) });
    }
  });

  it("shows every altered line from the checkpoint's segment on, and none before", async () => {
    const checkpoint = trusted();
    const linesSkipped = skippedBy(checkpoint);
    expect(linesSkipped).toBeGreaterThan(10);
    for (const name of names) {
      const lines = await readSegment(sample, name);
      for (const [index] of lines.entries()) {
        const dir = await copy();
        await writeSegment(dir, name, lines.map((line, at) => (at === index ? line.replace('"time":"2', '"time":"1') : line)));
        const number = firstOf(name) + index;
        const { problems, ...report } = await resume(dir, checkpoint);
        expect({ linesSkipped: report.linesSkipped, line: problems[0]?.line }).toEqual({ linesSkipped, line: number > linesSkipped ? number : undefined });
      }
    }
  });

  it("shows what the segment's first line does not know right about the lines before, though the chain was repaired", async () => {
    const checkpoint = trusted();
    const name = names.findLast((each) => firstOf(each) <= sizeOf(checkpoint)) ?? "";
    const [head = "", ...rest] = await readSegment(sample, name);
    const [subtree = ""] = parseLines([head])[0]?.data["subtrees"] as string[];
    const dir = await copy();
    await rm(join(dir, LEAVES));
    await writeSegment(dir, name, [head.replace(subtree, "0".repeat(64)), ...rest]);
    expect((await resume(dir, checkpoint)).ok).toBe(false);
  });

  it("shows a tail that was cut, also together with the checkpoints and the checkpoint's segment", async () => {
    const checkpoint = trusted();
    const dir = await copy();
    const last = names.at(-1) ?? "";
    const lines = await readSegment(sample, last);
    await writeSegment(dir, last, lines.slice(0, -2));
    expect((await resume(dir, checkpoint)).problems).toMatchObject([{ line: firstOf(last) + lines.length - 2, reason: "truncated" }]);
    const cut = skippedBy(checkpoint);
    for (const name of names) if (firstOf(name) > cut) await rm(join(dir, name));
    await writeFile(join(dir, CHECKPOINTS), notes.filter((note) => sizeOf(note) <= cut).join(""));
    const { ok, problems } = await resume(dir, checkpoint);
    expect([ok, problems[0]?.line, problems[0]?.reason]).toEqual([false, cut + 1, "truncated"]);
  });

  it("shows another history than the checkpoint's, though log and checkpoints agree", async () => {
    const dir = join(newDirectory(), "log");
    await copyFile(`${sample}.key`, `${dir}.key`);
    const log = await openAuditLog({ dir, checkpointEvery: { events: 5 }, rotate: { bytes: 3000 } });
    for (let index = 0; index < 40; index += 1) await log.append(verified("b", index));
    await log.close();
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
    const { ok, linesSkipped } = await resume(dir, trusted());
    expect([ok, linesSkipped > 10]).toEqual([false, true]);
  });

  it("holds for a log from which segments were removed by record", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 2000 }, retain: { segments: 3 } });
    for (let index = 0; index < 30; index += 1) await log.append(verified("a", index));
    await log.close();
    const whole = await verifyAuditLog({ dir });
    const { ok, removed, events, linesSkipped } = await resume(dir, (await sampleNotes(dir)).at(-1) ?? "");
    expect({ ok, removed, events }).toEqual({ ok: true, removed: whole.removed, events: whole.events });
    expect(whole.removed > 0 && linesSkipped > 0).toBe(true);
  });

  it("needs a checkpoint", async () => {
    expect((await auditErrorOf(verifyAuditLog({ dir: sample, resume: true }))).details["argument"]).toBe("options.checkpoint");
  });
});
