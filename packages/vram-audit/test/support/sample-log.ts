import { mkdtempSync, rmSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openAuditLog } from "../../src/index.js";
import { deallocated, sealed, verified, violated } from "./events.js";
import { CHECKPOINTS, scratch } from "./scratch.js";

/** A closed log of 40 lines and two sessions, with a checkpoint at least every 5 lines. */
export async function writeSampleLog(dir: string): Promise<void> {
  const checkpointEvery = { events: 5 };
  const first = await openAuditLog({ dir, checkpointEvery });
  for (let index = 0; index < 6; index += 1) {
    await first.append(sealed(`shard-${index}`));
    await first.append(verified(`shard-${index}`, index / 3));
    await first.append(deallocated(`shard-${index}`, { wiped: true }));
  }
  await first.close();
  const second = await openAuditLog({ dir, checkpointEvery });
  await second.append(violated());
  await Promise.all(Array.from({ length: 17 }, (_, index) => second.append(verified("shard-9", index))));
  await second.close();
}

/** A log for all tests of a file, written before them; `copy` makes one for a test of its own. */
export function sharedLog(write: (dir: string) => Promise<void>): { readonly dir: () => string; readonly copy: () => Promise<string> } {
  const newDirectory = scratch();
  let home = "";
  const dir = () => join(home, "log");
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "vram-audit-shared-"));
    await write(dir());
  });
  afterAll(() => {
    rmSync(home, { recursive: true });
  });
  const copy = async () => {
    const target = join(newDirectory(), "log");
    await copyLog(dir(), target);
    return target;
  };
  return { dir, copy };
}

/** The log with what lies beside it, under another name. */
export async function copyLog(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  const names = (await readdir(from)).filter((name) => name.startsWith("audit-"));
  for (const name of names) await copyFile(join(from, name), join(to, name));
  for (const suffix of [".pub", ".key"]) await copyFile(`${from}${suffix}`, `${to}${suffix}`);
  await chmod(`${to}.key`, 0o600);
}

/** The checkpoints of a log, oldest first. */
export async function sampleNotes(dir: string): Promise<string[]> {
  return (await readFile(join(dir, CHECKPOINTS), "utf8")).match(/(?:.*\n){3}\n— .*\n/g) ?? [];
}
