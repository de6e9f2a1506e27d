import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readAuditEvents, verifyAuditLog } from "../src/index.js";
import { scratch } from "./support/scratch.js";
import vectors from "./vectors/audit-v1/cases.json" with { type: "json" };
import segments from "./vectors/audit-v1-segments/cases.json" with { type: "json" };

const HOME = vectorHome("audit-v1");
const newDirectory = scratch();

interface Edit {
  readonly file: string;
  readonly find?: string;
  readonly replace?: string;
  readonly remove?: boolean;
}

function vectorHome(name: string): string {
  return fileURLToPath(new URL(`vectors/${name}/`, import.meta.url));
}

async function apply(home: string, { file, find = "", replace = "", remove = false }: Edit): Promise<void> {
  const path = join(home, file);
  const text = await readFile(path, "utf8");
  if (remove) return rm(path);
  expect(text).toContain(find);
  await writeFile(path, text.replace(find, () => replace));
}

describe("audit v1 vectors", () => {
  const sets = { "audit-v1": vectors, "audit-v1-segments": segments };
  const cases = Object.entries(sets).flatMap(([name, { cases: all, ...good }]) => all.map((each) => ({ ...each, name, good })));

  it.each(cases)("$name: $title", async ({ name, good, edits, problem }) => {
    const home = newDirectory();
    await cp(vectorHome(name), home, { recursive: true });
    for (const edit of edits) await apply(home, edit);
    const { ok, problems, events, removed, head } = await verifyAuditLog({ dir: join(home, "log") });
    const [first] = problems;
    expect(first === undefined ? null : { line: first.line, reason: first.reason }).toEqual(problem);
    expect(ok).toBe(problem === null);
    if (ok) expect({ events, removed, root: head.root }).toEqual({ events: good.events, removed: good.removed, root: good.root });
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
