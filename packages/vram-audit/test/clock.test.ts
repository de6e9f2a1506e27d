import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openAuditLog, verifyAuditLog } from "../src/index.js";
import { verified } from "./support/events.js";
import { auditErrorOf, readLog, scratch, writeLog } from "./support/scratch.js";

const newDirectory = scratch();
const START_MS = Date.parse("2026-01-02T03:04:05.000Z");
const HOUR_MS = 3_600_000;

let elapsedMs = 0;

beforeEach(() => {
  elapsedMs = 0;
  vi.useFakeTimers({ toFake: ["Date"], now: START_MS });
  vi.spyOn(performance, "now").mockImplementation(() => elapsedMs);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

interface Reading {
  readonly elapsedMs: number;
  /** How far the clock is ahead of that, since the beginning. */
  readonly aheadMs?: number;
}

/** A session with the line that opens it, one for each reading of the clocks, and the line that closes it. */
async function writeSession(dir: string, readings: readonly Reading[]): Promise<void> {
  const log = await openAuditLog({ dir });
  for (const reading of readings) {
    ({ elapsedMs } = reading);
    vi.setSystemTime(START_MS + elapsedMs + (reading.aheadMs ?? 0));
    await log.append(verified("a"));
  }
  await log.close();
}

async function verificationOf(readings: readonly Reading[]) {
  const dir = join(newDirectory(), "log");
  await writeSession(dir, readings);
  const { ok, problems, clockSteps } = await verifyAuditLog({ dir });
  return { ok, problems: problems.map(({ line, reason }) => [line, reason]), clockSteps };
}

describe("the writer's clock", () => {
  it("is in every line twice", async () => {
    const dir = join(newDirectory(), "log");
    await writeSession(dir, [{ elapsedMs: 1500.75 }]);
    const lines = (await readLog(dir)).map((line) => JSON.parse(line) as { time: string; elapsedms: string });
    expect(lines.map(({ elapsedms }) => elapsedms)).toEqual(["0", "1500", "1500"]);
    expect(lines[1]?.time).toBe("2026-01-02T03:04:06.500Z");
  });

  it.each([
    ["set back", -HOUR_MS],
    ["set forward", HOUR_MS],
  ])("is noticed when it was %s, where the log is good", async (_, aheadMs) => {
    const readings = [{ elapsedMs: 10 }, { elapsedMs: 20, aheadMs }, { elapsedMs: 30, aheadMs }];
    expect(await verificationOf(readings)).toEqual({ ok: true, problems: [], clockSteps: [{ line: 3, milliseconds: aheadMs }] });
  });

  it("is noticed when small corrections add up to more than a second", async () => {
    const readings = [{ elapsedMs: 10, aheadMs: 600 }, { elapsedMs: 20, aheadMs: 1000 }, { elapsedMs: 30, aheadMs: 1001 }, { elapsedMs: 40, aheadMs: 2000 }];
    expect((await verificationOf(readings)).clockSteps).toEqual([{ line: 4, milliseconds: 1001 }]);
  });

  it("is noticed the first 16 times", async () => {
    const readings = Array.from({ length: 20 }, (_, index) => ({ elapsedMs: index, aheadMs: (index % 2) * HOUR_MS }));
    const { clockSteps } = await verificationOf(readings);
    expect([clockSteps.length, clockSteps[0]?.line]).toEqual([16, 3]);
  });

  it("may be another one, and begins anew, in another session", async () => {
    const dir = join(newDirectory(), "log");
    await writeSession(dir, [{ elapsedMs: 5000 }]);
    vi.setSystemTime(START_MS - HOUR_MS);
    await writeSession(dir, [{ elapsedMs: 7000, aheadMs: -HOUR_MS - 5000 }]);
    expect(await verifyAuditLog({ dir })).toMatchObject({ ok: true, clockSteps: [] });
  });
});

describe("the clock that cannot be set", () => {
  it("shows a line that was written before the line before it, also to who opens the log", async () => {
    const readings = [{ elapsedMs: 20 }, { elapsedMs: 10 }, { elapsedMs: 5 }];
    expect(await verificationOf(readings)).toEqual({ ok: false, problems: [[3, "clock"]], clockSteps: [] });
    const dir = join(newDirectory(), "log");
    await writeSession(dir, readings);
    expect((await auditErrorOf(openAuditLog({ dir }))).details).toMatchObject({ reason: "damaged", line: 3, problem: "clock" });
  });

  it("does not accuse the line behind one that was altered", async () => {
    const dir = join(newDirectory(), "log");
    await writeSession(dir, [{ elapsedMs: 10 }, { elapsedMs: 20 }]);
    const lines = await readLog(dir);
    await writeLog(dir, lines.map((line) => line.replace('"elapsedms":"10"', '"elapsedms":"30"')));
    const { problems } = await verifyAuditLog({ dir });
    expect(problems.map(({ line, reason }) => [line, reason])).toEqual([[2, "altered"]]);
  });
});
