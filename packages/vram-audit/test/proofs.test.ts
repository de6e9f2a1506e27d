import { createPrivateKey } from "node:crypto";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { AuditError, checkAuditProof, exportConsistencyProof, exportInclusionProof, openAuditLog, verifyAuditLog } from "../src/index.js";
import { signCheckpoint } from "../src/note/checkpoint.js";
import { parseVerifierKey } from "../src/note/verifier-key.js";
import { formatProof } from "../src/proof/proof-text.js";
import { leafHash } from "../src/tree/merkle-tree.js";
import { verified } from "./support/events.js";
import { sampleNotes, sharedLog, writeSampleLog } from "./support/sample-log.js";
import { auditErrorOf, CHECKPOINTS, LEAVES, readLog, scratch, writeLog } from "./support/scratch.js";
import vectors from "./vectors/proofs.json" with { type: "json" };

const newDirectory = scratch();
const { dir: sharedDir, copy } = sharedLog(writeSampleLog);
let sample = "";
let publicKey = "";
let lines: readonly string[] = [];
let notes: readonly string[] = [];

beforeAll(async () => {
  sample = sharedDir();
  publicKey = await readFile(`${sample}.pub`, "utf8");
  lines = await readLog(sample);
  notes = await sampleNotes(sample);
});

function refusal(options: Parameters<typeof checkAuditProof>[0]): readonly [string, unknown] {
  try {
    checkAuditProof(options);
  } catch (error) {
    if (error instanceof AuditError) return [error.code, error.details["reason"] ?? error.details["argument"]];
    throw error;
  }
  throw new Error("the proof was accepted");
}

describe("audit v1 vectors", () => {
  it.each(vectors.cases)("$title", ({ proof, checkpoint, expected }) => {
    const options = { proof, publicKey: vectors.publicKey, ...(checkpoint !== undefined && { checkpoint }) };
    if ("reason" in expected) expect(refusal(options)).toEqual([expected.code, expected.reason]);
    else expect(checkAuditProof(options)).toEqual(expected);
  });
});

describe("a proof of inclusion", () => {
  it("shows every line under the last checkpoint to who has the public key alone", async () => {
    for (const [index, line] of lines.entries()) {
      const proof = await exportInclusionProof({ dir: sample, sequence: index + 1 });
      const raw = (JSON.parse(lines[0] ?? "") as { data: { publicKey: string } }).data.publicKey;
      for (const key of [publicKey, raw]) {
        expect(checkAuditProof({ proof, publicKey: key })).toMatchObject({ kind: "inclusion", sequence: index + 1, line, size: lines.length });
      }
    }
  });

  it("is a C2SP tlog-proof", async () => {
    const proof = await exportInclusionProof({ dir: sample, sequence: 7 });
    const [first, extra, index, ...rest] = proof.split("\n");
    expect([first, extra, index]).toEqual(["c2sp.org/tlog-proof@v1", `extra ${Buffer.from(lines[6] ?? "").toString("base64")}`, "index 6"]);
    expect(rest.slice(rest.indexOf("") + 1).join("\n")).toBe(notes.at(-1));
  });

  it("shows nothing with any character changed", async () => {
    const proof = await exportInclusionProof({ dir: sample, sequence: 7 });
    fc.assert(
      fc.property(fc.nat(proof.length - 1), fc.constantFrom("a", "B", "0", "\n", " ", "=", "—"), (at, replacement) => {
        fc.pre(proof[at] !== replacement);
        const [code] = refusal({ proof: proof.slice(0, at) + replacement + proof.slice(at + 1), publicKey });
        expect(["INVALID_INPUT", "INTEGRITY_VIOLATION"]).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  it("shows nothing with another line, another index or another log's key", async () => {
    const proof = await exportInclusionProof({ dir: sample, sequence: 7 });
    const other = Buffer.from(lines[7] ?? "").toString("base64");
    expect(refusal({ proof: proof.replace(/extra .*/, `extra ${other}`), publicKey })).toEqual(["INTEGRITY_VIOLATION", "inclusion"]);
    expect(refusal({ proof: proof.replace("index 6", "index 7"), publicKey })).toEqual(["INTEGRITY_VIOLATION", "inclusion"]);
    const foreign = await openAuditLog({ dir: join(newDirectory(), "log") });
    expect(refusal({ proof, publicKey: foreign.verifierKey })).toEqual(["INTEGRITY_VIOLATION", "checkpoint"]);
    await foreign.close();
  });

  it("shows nothing with a checkpoint of another log, or a line that is none at its place, though signed by the key", async () => {
    const key = parseVerifierKey(publicKey.trim());
    if (key === undefined) throw new Error("the sample has no public key");
    const privateKey = createPrivateKey(await readFile(`${sample}.key`));
    const claim = (line: string, origin = key.name) => {
      const bytes = Buffer.from(line);
      const note = signCheckpoint({ origin, size: 1, root: leafHash(bytes) }, privateKey, key);
      return { proof: formatProof({ kind: "inclusion", index: 0, line: bytes, hashes: [], note }), publicKey };
    };
    expect(checkAuditProof(claim(lines[0] ?? ""))).toMatchObject({ sequence: 1 });
    expect(refusal(claim(lines[0] ?? "", "example.org/other"))).toEqual(["INTEGRITY_VIOLATION", "checkpoint"]);
    for (const line of ["{}", lines[1] ?? ""]) expect(refusal(claim(line))).toEqual(["INTEGRITY_VIOLATION", "line"]);
  });

  it("is not made for a line that no checkpoint vouches for, and is made for it once one does", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    const { sequence } = await log.append(verified("a"));
    expect((await auditErrorOf(exportInclusionProof({ dir, sequence }))).details["argument"]).toBe("options.sequence");
    await log.close();
    expect(checkAuditProof({ proof: await exportInclusionProof({ dir, sequence }), publicKey: log.verifierKey })).toMatchObject({ sequence });
  });

  it("shows a line of any segment, but not a removed one", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 2000 }, retain: { segments: 3 } });
    for (let index = 0; index < 20; index += 1) await log.append(verified("a", index));
    await log.close();
    const { removed, events } = await verifyAuditLog({ dir });
    expect(removed).toBeGreaterThan(0);
    for (const sequence of [removed + 1, removed + events - 4, removed + events]) {
      const proof = await exportInclusionProof({ dir, sequence });
      expect(checkAuditProof({ proof, publicKey: log.verifierKey })).toMatchObject({ sequence });
    }
    expect((await auditErrorOf(exportInclusionProof({ dir, sequence: removed }))).details["argument"]).toBe("options.sequence");
  });

  it.each([0, -1, 0.5, 2 ** 53])("is not made for line %d", async (sequence) => {
    expect((await auditErrorOf(exportInclusionProof({ dir: sample, sequence }))).details["argument"]).toBe("options.sequence");
  });
});

describe("a proof is not made from", () => {
  it.each([
    ["altered leaf hashes", async (dir: string) => {
      const leaves = await readFile(join(dir, LEAVES));
      leaves[70] = (leaves[70] ?? 0) ^ 1;
      await writeFile(join(dir, LEAVES), leaves);
    }, "INTEGRITY_VIOLATION", "leaves"],
    ["leaf hashes that end early", async (dir: string) => truncate(join(dir, LEAVES), 32 * 12), "INTEGRITY_VIOLATION", "leaves"],
    ["no leaf hashes", async (dir: string) => rm(join(dir, LEAVES)), "AUDIT_UNAVAILABLE", "missing"],
    ["no checkpoints", async (dir: string) => rm(join(dir, CHECKPOINTS)), "AUDIT_UNAVAILABLE", "no-checkpoint"],
  ] as const)("%s", async (_, damage, code, reason) => {
    const dir = await copy();
    await damage(dir);
    for (const make of [() => exportInclusionProof({ dir, sequence: 7 }), () => exportConsistencyProof({ dir, fromSize: 7 })]) {
      const error = await auditErrorOf(make());
      expect([error.code, error.details["reason"]]).toEqual([code, reason]);
    }
  });

  it("an altered or a missing line", async () => {
    const dir = await copy();
    await writeLog(dir, lines.map((line, index) => (index === 6 ? line.replace('"time":"2', '"time":"1') : line)));
    expect((await auditErrorOf(exportInclusionProof({ dir, sequence: 7 }))).details["reason"]).toBe("inclusion");
    await writeLog(dir, lines.slice(0, 6));
    expect((await auditErrorOf(exportInclusionProof({ dir, sequence: 7 }))).details).toMatchObject({ reason: "truncated", line: 7 });
  });
});

describe("a proof of consistency", () => {
  it("shows from every checkpoint that the log continues it", async () => {
    expect(notes.length).toBeGreaterThan(8);
    for (const checkpoint of notes) {
      const fromSize = Number(checkpoint.split("\n")[1]);
      const proof = await exportConsistencyProof({ dir: sample, fromSize });
      expect(proof.startsWith(`old ${fromSize}\n`)).toBe(true);
      expect(checkAuditProof({ proof, publicKey, checkpoint })).toMatchObject({ kind: "consistency", oldSize: fromSize, size: lines.length });
    }
  });

  it("shows that a log, though well signed, is not the one that a checkpoint was kept of", async () => {
    const dirs = [join(newDirectory(), "log"), join(newDirectory(), "log")] as const;
    const kept: string[] = [];
    for (const [index, dir] of dirs.entries()) {
      const log = await openAuditLog({ dir, origin: "example.org/one", signingKey: `${sample}.key` });
      await log.append(verified(`shard-${index}`));
      await log.close();
      kept.push((await sampleNotes(dir)).at(-1) ?? "");
    }
    const proof = await exportConsistencyProof({ dir: dirs[1], fromSize: 3 });
    const key = await readFile(`${dirs[1]}.pub`, "utf8");
    expect(checkAuditProof({ proof, publicKey: key, checkpoint: kept[1] ?? "" })).toMatchObject({ oldSize: 3 });
    expect(refusal({ proof, publicKey: key, checkpoint: kept[0] ?? "" })).toEqual(["INTEGRITY_VIOLATION", "consistency"]);
  });

  it("needs the checkpoint that it begins with", async () => {
    const fromSize = Number(notes[2]?.split("\n")[1]);
    const proof = await exportConsistencyProof({ dir: sample, fromSize });
    for (const checkpoint of [undefined, "", notes[3], notes[2]?.replace("\n", "\n1")]) {
      expect(refusal({ proof, publicKey, ...(checkpoint !== undefined && { checkpoint }) })).toEqual(["INVALID_INPUT", "options.checkpoint"]);
    }
    expect((await auditErrorOf(exportConsistencyProof({ dir: sample, fromSize: lines.length + 1 }))).details["argument"]).toBe("options.fromSize");
  });
});
