import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readAuditEvents, verifyAuditLog } from "../src/index.js";
import { scratch } from "./support/scratch.js";
import vectors from "./vectors/audit-v1/cases.json" with { type: "json" };

const HOME = fileURLToPath(new URL("vectors/audit-v1/", import.meta.url));
const newDirectory = scratch();

describe("audit v1 vectors", () => {
  it.each(vectors.cases)("$title", async ({ edits, problem }) => {
    const home = newDirectory();
    await cp(HOME, home, { recursive: true });
    for (const { file, find, replace } of edits) {
      const text = await readFile(join(home, file), "utf8");
      expect(text).toContain(find);
      await writeFile(join(home, file), text.replace(find, () => replace));
    }
    const { ok, problems, events, head } = await verifyAuditLog({ dir: join(home, "log") });
    const [first] = problems;
    expect(first === undefined ? null : { line: first.line, reason: first.reason }).toEqual(problem);
    expect(ok).toBe(problem === null);
    if (ok) expect({ events, root: head.root }).toEqual({ events: vectors.events, root: vectors.root });
  });

  it("read as the events that were written", async () => {
    const types: string[] = [];
    for await (const { type } of readAuditEvents({ dir: join(HOME, "log") })) types.push(type);
    expect(types).toEqual([
      "vram.audit.opened",
      "vram.worker.started",
      "vram.shard.sealed",
      "vram.seal.verification_failed",
      "vram.shard.deallocated",
      "vram.worker.stopped",
      "vram.audit.closed",
    ]);
  });
});
