import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "vitest";
import { type MirrorLogger, openAuditLog, verifyAuditLog } from "../../src/index.js";
import { verified } from "./events.js";

const TOGETHER = 50;

/**
 * Appends to a new log that is mirrored, and answers how many copies were dropped. The log, which opens and closes with
 * an event of its own, must stay good.
 */
export function mirroredAppends(newDirectory: () => string): (mirror: MirrorLogger, count: number) => Promise<number> {
  return async (mirror, count) => {
    const dir = join(newDirectory(), "log");
    const log = await openAuditLog({ dir, mirror });
    for (let left = count; left > 0; left -= TOGETHER) {
      await Promise.all(Array.from({ length: Math.min(left, TOGETHER) }, () => log.append(verified("a"))));
    }
    expect(log.state).toBe("open");
    await log.close();
    await turn();
    await turn();
    const { ok, events } = await verifyAuditLog({ dir });
    expect([ok, events]).toEqual([true, count + 2]);
    return log.mirrorDropped;
  };
}
