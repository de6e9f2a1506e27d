import { createHash, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { openAuditLog, verifyAuditLog } from "../src/index.js";
import { signCheckpoint } from "../src/note/checkpoint.js";
import { parseVerifierKey } from "../src/note/verifier-key.js";
import { verified } from "./support/events.js";
import { sampleNotes, sharedLog, writeSampleLog } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, LOG, readLog, scratch, writeLog } from "./support/scratch.js";

const LINES = 40;
const MOST_RUNS = Number(process.env["VRAM_PROPERTY_RUNS"] ?? Infinity);
const RUNS = { numRuns: Math.min(60, MOST_RUNS) };
const line = fc.integer({ min: 1, max: LINES });
const newDirectory = scratch();

const { dir: sharedDir, copy } = sharedLog(writeSampleLog);
let sample = "";
let original: readonly string[] = [];

beforeAll(async () => {
  sample = sharedDir();
  original = await readLog(sample);
});

/** Where line `number` begins in the file. */
function startOf(number: number): number {
  return original.slice(0, number - 1).reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
}

async function changeByte(path: string, at: number, add: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = ((bytes[at] ?? 0) + add) % 256;
  await writeFile(path, bytes);
}

/** Carries an edit through the chain, as somebody would who knows the format but not the key. */
function rechain(lines: readonly string[]): string[] {
  const chained: string[] = [];
  let prevhash = "0".repeat(64);
  for (const text of lines) {
    const next = text.replace(/"prevhash":"[0-9a-f]{64}"/, `"prevhash":"${prevhash}"`);
    chained.push(next);
    prevhash = createHash("sha256").update(next).digest("hex");
  }
  return chained;
}

async function firstProblem(dir: string): Promise<readonly [number | null | undefined, string | undefined]> {
  const { ok, problems } = await verifyAuditLog({ dir });
  expect(ok).toBe(problems.length === 0);
  return [problems[0]?.line, problems[0]?.reason];
}

describe("RP-005 test_audit_trail an altered log", () => {
  it("is good before it is altered", async () => {
    expect(original).toHaveLength(LINES);
    const { ok, events, closed, linesAfterCheckpoint, problems } = await verifyAuditLog({ dir: sample });
    expect({ ok, events, closed, linesAfterCheckpoint, problems }).toEqual({ ok: true, events: LINES, closed: true, linesAfterCheckpoint: 0, problems: [] });
  });

  it("shows the line in which one byte changed, newlines included", async () => {
    await fc.assert(
      fc.asyncProperty(line, fc.nat(), fc.integer({ min: 1, max: 255 }), async (number, offset, add) => {
        const dir = await copy();
        const length = Buffer.byteLength(original[number - 1] ?? "") + 1;
        await changeByte(join(dir, LOG), startOf(number) + (offset % length), add);
        expect((await firstProblem(dir))[0]).toBe(number);
      }),
      { numRuns: Math.min(200, MOST_RUNS) },
    );
  });

  it("shows every single byte of the first, a middle and the last line", async () => {
    for (const number of [1, 20, LINES]) {
      const dir = await copy();
      const bytes = await readFile(join(dir, LOG));
      const start = startOf(number);
      for (let at = start; at < start + Buffer.byteLength(original[number - 1] ?? "") + 1; at += 7) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(join(dir, LOG), changed);
        expect((await firstProblem(dir))[0]).toBe(number);
      }
    }
  });

  it.each([
    ["white space", (text: string) => text.replace(/,"data"/, ', "data"')],
    ["the spelling of a number", (text: string) => text.replace('"vramBytes":4096', '"vramBytes":4.096e3')],
    ["a value", (text: string) => text.replace('"vramBytes":4096', '"vramBytes":4095')],
    ["a severity", (text: string) => text.replace('"time":"2', '"time":"1')],
  ])("shows a change of %s", async (_, change) => {
    const number = original.findIndex((text) => text.includes("vramBytes")) + 1;
    const dir = await copy();
    await writeLog(dir, original.map((text, index) => (index === number - 1 ? change(text) : text)));
    expect((await firstProblem(dir))[0]).toBe(number);
  });

  it("shows the altered line although the chain behind it was repaired", async () => {
    await fc.assert(
      fc.asyncProperty(line, async (number) => {
        const dir = await copy();
        const edited = original.map((text, index) => (index === number - 1 ? text.replace(/"time":"2/, '"time":"1') : text));
        await writeLog(dir, rechain(edited));
        expect((await firstProblem(dir))[0]).toBe(number);
      }),
      RUNS,
    );
  });

  it("shows a deleted, repeated, swapped or forged line", async () => {
    const edits = {
      delete: (lines: string[], at: number) => lines.splice(at, 1),
      repeat: (lines: string[], at: number) => lines.splice(at + 1, 0, lines[at] ?? ""),
      swap: (lines: string[], at: number) => lines.splice(at, 2, ...lines.slice(at, at + 2).reverse()),
      forge: (lines: string[], at: number) => lines.splice(at, 0, (lines[at] ?? "").replace('"time":"2', '"time":"1')),
    };
    const kind = fc.constantFrom("delete", "repeat", "swap", "forge");
    await fc.assert(
      fc.asyncProperty(kind, fc.integer({ min: 1, max: LINES - 1 }), async (edit, number) => {
        const dir = await copy();
        const lines = [...original];
        edits[edit](lines, number - 1);
        await writeLog(dir, lines);
        // A forged line is the first wrong one: the true one follows it. A repeated one is wrong the second time.
        expect((await firstProblem(dir))[0]).toBe(edit === "repeat" ? number + 1 : number);
      }),
      RUNS,
    );
  });

  it("shows a tail cut at any byte, and the first line that is missing", async () => {
    const length = startOf(LINES + 1);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: length - 1 }), async (kept) => {
        const dir = await copy();
        await truncate(join(dir, LOG), kept);
        const whole = original.filter((_, index) => startOf(index + 2) <= kept).length;
        expect(await firstProblem(dir)).toEqual([whole + 1, "truncated"]);
      }),
      { numRuns: Math.min(30, MOST_RUNS) },
    );
  });

  it.each(["vram.audit.closed", "vram.shard.verified"])("shows lines added behind the closing one: a session with %s", async (type) => {
    const dir = await copy();
    const numbered = (text: string, number: number) => text.replace(/"sequence":"\d+"/, `"sequence":"${number.toString().padStart(16, "0")}"`);
    const opened = numbered(original[0] ?? "", LINES + 1);
    const added = numbered(original.findLast((text) => text.includes(`"type":"${type}"`)) ?? "", LINES + 2);
    await writeLog(dir, rechain([...original, opened]));
    const { ok, closed, linesAfterCheckpoint } = await verifyAuditLog({ dir });
    expect({ ok, closed, linesAfterCheckpoint }).toEqual({ ok: true, closed: false, linesAfterCheckpoint: 1 });
    await writeLog(dir, rechain([...original, opened, added]));
    expect(await firstProblem(dir)).toEqual([LINES + 1, "uncovered"]);
  });

  it("is not opened to be continued", async () => {
    const dir = await copy();
    await changeByte(join(dir, LOG), startOf(7) + 60, 1);
    const { code, details } = await auditErrorOf(openAuditLog({ dir }));
    expect([code, details["reason"], details["line"]]).toEqual(["AUDIT_UNAVAILABLE", "damaged", 7]);
    const cut = await copy();
    await truncate(join(cut, LOG), startOf(LINES));
    expect((await auditErrorOf(openAuditLog({ dir: cut }))).details).toMatchObject({ reason: "damaged", problem: "truncated" });
  });
});

describe("without the stored leaf hashes", () => {
  it("the chain alone finds every changed byte and names the line, or for the last line's link the one before", async () => {
    await fc.assert(
      fc.asyncProperty(line, fc.nat(), fc.integer({ min: 1, max: 255 }), async (number, offset, add) => {
        const dir = await copy();
        await rm(join(dir, LEAVES));
        const text = original[number - 1] ?? "";
        const at = offset % (Buffer.byteLength(text) + 1);
        await changeByte(join(dir, LOG), startOf(number) + at, add);
        const link = text.indexOf('"prevhash":"');
        const ambiguous = number === LINES && at > link && at < link + 80;
        expect(ambiguous ? [number, number - 1] : [number]).toContain((await firstProblem(dir))[0]);
      }),
      RUNS,
    );
  });

  it("a repaired chain is found and the first line no checkpoint vouches for named", async () => {
    const dir = await copy();
    await rm(join(dir, LEAVES));
    await writeLog(dir, rechain(original.map((text, index) => (index === 12 ? text.replace('"time":"2', '"time":"1') : text))));
    const [number, reason] = await firstProblem(dir);
    expect(reason).toBe("root");
    expect(number).toBeGreaterThan(8);
    expect(number).toBeLessThanOrEqual(13);
  });
});

describe("altered evidence", () => {
  it("shows every changed byte of the checkpoints", async () => {
    const { length } = readFileSync(join(sample, CHECKPOINTS));
    await fc.assert(
      fc.asyncProperty(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), async (at, add) => {
        const dir = await copy();
        await changeByte(join(dir, CHECKPOINTS), at, add);
        expect((await verifyAuditLog({ dir })).ok).toBe(false);
      }),
      RUNS,
    );
  });

  it("does not make a good log bad when only the leaf hashes changed, nor a bad one good", async () => {
    const dir = await copy();
    await changeByte(join(dir, LEAVES), 3 * 32, 1);
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
    await changeByte(join(dir, LOG), startOf(4) + 200, 1);
    expect((await firstProblem(dir))[0]).toBe(4);
  });

  it("shows checkpoints of another log under the same key, and ones out of order", async () => {
    const notes = await sampleNotes(sample);
    const privateKey = createPrivateKey(await readFile(`${sample}.key`));
    const key = parseVerifierKey((await readFile(`${sample}.pub`, "utf8")).trim());
    if (key === undefined) throw new Error("the sample has no public key");
    const foreign = signCheckpoint({ origin: "example.org/other", size: LINES, root: Buffer.alloc(32) }, privateKey, key);
    for (const history of [[...notes, foreign], [...notes, notes[0]], [...notes].reverse()]) {
      const dir = await copy();
      await writeFile(join(dir, CHECKPOINTS), history.join(""));
      expect((await verifyAuditLog({ dir })).problems.map(({ reason }) => reason)).toContain("checkpoint");
    }
  });

  it("shows removed checkpoints", async () => {
    const dir = await copy();
    await rm(join(dir, CHECKPOINTS));
    expect((await verifyAuditLog({ dir })).problems.map(({ reason }) => reason)).toContain("no-checkpoint");
    expect((await auditErrorOf(openAuditLog({ dir }))).details["problem"]).toBe("no-checkpoint");
  });

  it("shows a log written anew under another key to who kept the public key", async () => {
    const forged = join(newDirectory(), "log");
    const { privateKey } = generateKeyPairSync("ed25519");
    const log = await openAuditLog({ dir: forged, signingKey: privateKey });
    await log.append(verified("a"));
    await log.close();
    const publicKey = await readFile(`${sample}.pub`, "utf8");
    const { ok, problems, keyFrom } = await verifyAuditLog({ dir: forged, publicKey });
    expect([ok, keyFrom, problems[0]?.line, problems[0]?.reason]).toEqual([false, "option", 1, "key"]);
    const raw = (JSON.parse(original[0] ?? "") as { data: { publicKey: string } }).data.publicKey;
    expect((await verifyAuditLog({ dir: forged, publicKey: raw })).ok).toBe(false);
    expect((await verifyAuditLog({ dir: sample, publicKey: raw })).ok).toBe(true);
  });

  it("shows a tail cut with its checkpoints to who kept a checkpoint", async () => {
    const notes = await sampleNotes(sample);
    const kept = notes.at(-1) ?? "";
    const dir = await copy();
    const early = notes.slice(0, 3);
    await writeFile(join(dir, CHECKPOINTS), early.join(""));
    const size = Number(early.at(-1)?.split("\n")[1]);
    await writeLog(dir, original.slice(0, size));
    expect((await verifyAuditLog({ dir })).ok).toBe(true);
    const { ok, problems } = await verifyAuditLog({ dir, checkpoint: kept });
    expect([ok, problems[0]?.line, problems[0]?.reason]).toEqual([false, size + 1, "truncated"]);
    expect((await verifyAuditLog({ dir: sample, checkpoint: notes[1] ?? "" })).ok).toBe(true);
    expect((await auditErrorOf(verifyAuditLog({ dir, checkpoint: kept.replace("40", "41") }))).code).toBe("INVALID_INPUT");
  });
});
