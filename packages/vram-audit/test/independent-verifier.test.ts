import { spawnSync } from "node:child_process";
import { cp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, vi } from "vitest";
import { itWhere } from "../../vram-seal/test/support/tool.js";
import { openAuditLog, verifyAuditLog } from "../src/index.js";
import { verified, violated } from "./support/events.js";
import { verifyIndependently } from "./support/independent-verifier.js";
import { writeNewerLog } from "./support/newer-version.js";
import { sampleNotes } from "./support/sample-log.js";
import { CHECKPOINTS, LOG, readLog, scratch, segmentNames, writeLog } from "./support/scratch.js";
import vectors from "./vectors/audit-v1/cases.json" with { type: "json" };

const HOME = fileURLToPath(new URL("vectors/audit-v1/", import.meta.url));
const newDirectory = scratch();
const missing = [["python3", "--version"], ["openssl", "version"]].filter(([tool = "", ...args]) => spawnSync(tool, args).error !== undefined);
if (missing.length > 0 && !process.env["VRAM_REQUIRE_TOOLS"]) process.stderr.write("LEFT OUT: the verifier in Python needs python3 and openssl\n");
const itIndependently = itWhere(missing.length === 0);

afterEach(() => {
  vi.restoreAllMocks();
});

/** Both verdicts on a log, which agree. */
async function verdict(dir: string, checkpoint?: string): Promise<boolean> {
  const publicKey = await readFile(`${dir}.pub`, "utf8");
  const anchor = `${dir}.anchor`;
  if (checkpoint !== undefined) await writeFile(anchor, checkpoint);
  const independent = await verifyIndependently(dir, publicKey, checkpoint === undefined ? undefined : anchor);
  const { ok } = await verifyAuditLog({ dir, publicKey, ...(checkpoint !== undefined && { checkpoint }) });
  expect(independent.ok).toBe(ok);
  return ok;
}

describe("a verifier in another language agrees", () => {
  itIndependently.each(vectors.cases)("about the vector: $title", async ({ edits, problem }) => {
    const home = newDirectory();
    await cp(HOME, home, { recursive: true });
    for (const { file, find, replace } of edits) {
      await writeFile(join(home, file), (await readFile(join(home, file), "utf8")).replace(find, () => replace));
    }
    expect(await verdict(join(home, "log"))).toBe(problem === null);
  });

  itIndependently("about a log whose tail was cut together with its checkpoints", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    await log.append(violated());
    await log.close();
    const [lines, notes] = [await readLog(dir), await sampleNotes(dir)];
    expect(await verdict(dir, notes.at(-1))).toBe(true);
    await writeFile(join(dir, CHECKPOINTS), notes.slice(0, -1).join(""));
    await writeLog(dir, lines.slice(0, -1));
    expect(await verdict(dir)).toBe(true);
    expect(await verdict(dir, notes.at(-1))).toBe(false);
    expect((await verifyIndependently(dir, log.verifierKey, `${dir}.anchor`)).line).toBe(lines.length);
    await truncate(join(dir, LOG), 0);
    expect(await verdict(dir)).toBe(false);
  });

  itIndependently("about a log of several segments, and one without one of them", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, rotate: { bytes: 2000 } });
    for (let index = 0; index < 12; index += 1) await log.append(verified("a", index));
    await log.close();
    const [, second = ""] = await segmentNames(dir);
    expect(await verdict(dir)).toBe(true);
    await rm(join(dir, second));
    expect(await verdict(dir)).toBe(false);
  });

  itIndependently("about a log with events of a newer version's types, and one with such an event altered", async () => {
    const dir = join(newDirectory(), "log");
    await writeNewerLog(dir);
    await (await openAuditLog({ dir })).close();
    expect(await verdict(dir)).toBe(true);
    await writeLog(dir, (await readLog(dir)).map((line) => line.replace("vram.shard.migrated", "vram.shard.moved")));
    expect(await verdict(dir)).toBe(false);
  });

  itIndependently("about a session whose monotonic clock went back, and a new one that begins at 0", async () => {
    const dir = join(newDirectory(), "log");
    let nowMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    const writeSession = async (...readings: readonly number[]) => {
      const log = await openAuditLog({ dir });
      for (const reading of readings) {
        nowMs = reading;
        await log.append(verified("a"));
      }
      await log.close();
    };
    await writeSession(20, 20);
    await writeSession(30);
    expect(await verdict(dir)).toBe(true);
    await writeSession(50, 40);
    expect(await verdict(dir)).toBe(false);
    const { problems } = await verifyAuditLog({ dir });
    expect(problems).toMatchObject([{ line: 10, reason: "clock" }]);
    expect((await verifyIndependently(dir, await readFile(`${dir}.pub`, "utf8"))).line).toBe(10);
  });

  itIndependently("about lines that no checkpoint vouches for yet, and another log's key", async () => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir });
    await log.append(verified("a"));
    expect(await verdict(dir)).toBe(true);
    await log.close();
    const closing = (await sampleNotes(dir)).slice(0, -1);
    await writeFile(join(dir, CHECKPOINTS), closing.join(""));
    expect(await verdict(dir)).toBe(false);
    await writeFile(`${dir}.pub`, await readFile(join(HOME, "log.pub")));
    expect(await verdict(dir)).toBe(false);
  });
});
