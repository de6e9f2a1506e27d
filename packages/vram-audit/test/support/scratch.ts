import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { AuditError, type AuditLog } from "../../src/index.js";

/** A directory for one test, removed after it. */
export function scratch(): () => string {
  const made: string[] = [];
  afterEach(() => {
    for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
  });
  return () => {
    const dir = mkdtempSync(join(tmpdir(), "vram-audit-"));
    chmodSync(dir, 0o700);
    made.push(dir);
    return dir;
  };
}

export const LOG = "audit-v1.0000000000000001.jsonl";
export const CHECKPOINTS = "audit-v1.checkpoints";
export const LEAVES = "audit-v1.leaves";

export async function segmentNames(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith(".jsonl")).sort();
}

/** The lines of one file. */
export async function readSegment(dir: string, name: string): Promise<string[]> {
  return (await readFile(join(dir, name), "utf8")).split("\n").slice(0, -1);
}

/** The lines of all segments. */
export async function readLog(dir: string): Promise<string[]> {
  const lines: string[] = [];
  for (const name of await segmentNames(dir)) lines.push(...(await readSegment(dir, name)));
  return lines;
}

export async function writeLog(dir: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(dir, LOG), lines.map((line) => `${line}\n`).join(""));
}

export function parseLines(lines: readonly string[]): { type: string; sequence: string; prevhash: string; data: Record<string, unknown> }[] {
  return lines.map((line) => JSON.parse(line) as never);
}

/** What a promise rejected with, if it is an AuditError; anything else fails the test. */
export async function auditErrorOf(promise: Promise<unknown>): Promise<AuditError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AuditError) return error;
    throw error;
  }
  throw new Error("the promise was expected to reject");
}

/** Closes a log that has failed, or will. */
export async function closeQuietly(log: AuditLog): Promise<void> {
  await log.close().catch(() => undefined);
}
