import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyAuditLog } from "../src/index.js";
import { signCheckpoint } from "../src/note/checkpoint.js";
import { parseVerifierKey } from "../src/note/verifier-key.js";
import { copyLog, sampleNotes, writeSampleLog } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, readLog, scratch, writeLog } from "./support/scratch.js";

const newDirectory = scratch();
let home = "";
let sample = "";
let lines: readonly string[] = [];
let notes: readonly string[] = [];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "vram-audit-resume-"));
  sample = join(home, "log");
  await writeSampleLog(sample);
  lines = await readLog(sample);
  notes = await sampleNotes(sample);
});

afterAll(() => {
  rmSync(home, { recursive: true });
});

async function copy(): Promise<string> {
  const dir = join(newDirectory(), "log");
  await copyLog(sample, dir);
  return dir;
}

/** The checkpoint in the middle of the log, with its size. */
function trusted(): { checkpoint: string; size: number } {
  const checkpoint = notes[notes.length >> 1] ?? "";
  return { checkpoint, size: sizeOf(checkpoint) };
}

function sizeOf(note: string | undefined): number {
  return Number(note?.split("\n")[1]);
}

async function writeEdited(dir: string, number: number, from: string | RegExp, to: string): Promise<void> {
  await writeLog(dir, lines.map((line, index) => (index === number - 1 ? line.replace(from, to) : line)));
}

describe("a verification that resumes from a checkpoint", () => {
  it("ends as a whole one does, and says what it passed over and what is not anchored", async () => {
    const whole = await verifyAuditLog({ dir: sample });
    for (const checkpoint of notes) {
      const size = sizeOf(checkpoint);
      const anchored = { size, linesAfter: lines.length - size };
      expect(await verifyAuditLog({ dir: sample, checkpoint })).toEqual({ ...whole, anchored });
      expect(await verifyAuditLog({ dir: sample, checkpoint, resume: true })).toEqual({ ...whole, anchored, linesSkipped: size - 1 });
    }
  });

  it("shows every altered line from the checkpoint's last on, and none before", async () => {
    const { checkpoint, size } = trusted();
    expect([size > 10, size < lines.length - 10]).toEqual([true, true]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: lines.length }), fc.constantFrom("time", "prevhash", "sequence"), async (number, field) => {
        const dir = await copy();
        const value = new RegExp(`("${field}":")(.)(.*?")`);
        await writeEdited(dir, number, value, lines[number - 1]?.match(value)?.[2] === "1" ? "$12$3" : "$11$3");
        const { ok, problems, linesSkipped } = await verifyAuditLog({ dir, checkpoint, resume: true });
        expect({ ok, line: problems[0]?.line, linesSkipped }).toEqual(
          number < size ? { ok: true, line: undefined, linesSkipped: size - 1 } : { ok: false, line: number, linesSkipped: size - 1 },
        );
      }),
      { numRuns: 60 },
    );
  });

  it("shows a cut tail, and one cut together with checkpoints and leaf hashes", async () => {
    const { checkpoint, size } = trusted();
    const dir = await copy();
    await writeLog(dir, lines.slice(0, size + 3));
    expect((await verifyAuditLog({ dir, checkpoint, resume: true })).problems).toMatchObject([{ line: size + 4, reason: "truncated" }]);
    await writeLog(dir, lines.slice(0, 4));
    expect(await verifyAuditLog({ dir, checkpoint, resume: true })).toMatchObject({ problems: [{ line: 5, reason: "truncated" }], linesSkipped: 4 });
    const kept = notes.filter((note) => sizeOf(note) < size);
    const left = sizeOf(kept.at(-1));
    await writeLog(dir, lines.slice(0, left));
    await writeFile(join(dir, CHECKPOINTS), kept.join(""));
    await writeFile(join(dir, LEAVES), (await readFile(join(sample, LEAVES))).subarray(0, left * 32));
    const { problems, linesSkipped } = await verifyAuditLog({ dir, checkpoint, resume: true });
    expect({ problems, linesSkipped }).toMatchObject({ problems: [{ line: left + 1, reason: "truncated" }], linesSkipped: 0 });
  });

  it.each([
    ["altered", async (path: string) => { const leaves = await readFile(path); leaves[70] = (leaves[70] ?? 0) ^ 1; await writeFile(path, leaves); }],
    ["missing", async (path: string) => rm(path)],
  ])("is a whole one where the stored leaf hashes are %s", async (_, damage) => {
    const { checkpoint } = trusted();
    const dir = await copy();
    await damage(join(dir, LEAVES));
    expect(await verifyAuditLog({ dir, checkpoint, resume: true })).toMatchObject({ ok: true, linesSkipped: 0 });
    await writeEdited(dir, 3, '"time":"2', '"time":"1');
    expect((await verifyAuditLog({ dir, checkpoint, resume: true })).problems[0]?.line).toBe(3);
  });

  it("shows a history that is not the checkpoint's, though the log, its leaf hashes and checkpoints agree", async () => {
    const key = parseVerifierKey((await readFile(`${sample}.pub`, "utf8")).trim());
    if (key === undefined) throw new Error("the sample has no public key");
    const other = { origin: key.name, size: trusted().size, root: Buffer.alloc(32) };
    const checkpoint = signCheckpoint(other, createPrivateKey(await readFile(`${sample}.key`)), key);
    const { ok, linesSkipped } = await verifyAuditLog({ dir: sample, checkpoint, resume: true });
    expect({ ok, linesSkipped }).toEqual({ ok: false, linesSkipped: 0 });
  });

  it("needs a checkpoint", async () => {
    expect((await auditErrorOf(verifyAuditLog({ dir: sample, resume: true }))).details["argument"]).toBe("options.checkpoint");
  });
});
