// Fills the file system that the log's directory lies on, appends a batch with one critical event and two events more, opens the log again while there is no
// room and once there is, and says what happened.
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { openAuditLog, readAuditEvents, verifyAuditLog } from "../../dist/index.js";

const BLOCK = Buffer.alloc(4096, 1);
const dir = process.argv[2];
const filler = join(dirname(dir), "filler");

function fillDisk() {
  const file = openSync(filler, "a");
  try {
    for (;;) writeSync(file, BLOCK);
  } catch (error) {
    if (error.code !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
}

/** Larger than what is left of a block. */
const long = Array.from({ length: 100 }, (_, index) => ({ rule: `${index}`.padEnd(200, "x"), reason: "r" }));
const critical = { type: "vram.policy.violation", severity: "critical", data: { stage: "open", shardId: null, violations: long } };
const ordinary = {
  type: "vram.allocation.failed",
  severity: "warning",
  data: { shardId: "a", code: "INSUFFICIENT_VRAM", neededBytes: 1, availableBytes: 0, entryPoint: null, result: null },
};
const outcomeOf = (promise) => promise.then(() => "good").catch(({ code, details }) => `${code} ${details.reason} ${details.errno}`);

const log = await openAuditLog({ dir });
await log.append(ordinary);
fillDisk();
const batch = await Promise.all([ordinary, critical, ordinary].map((event) => outcomeOf(log.append(event))));
const after = [log.state, await outcomeOf(log.append(ordinary)), await outcomeOf(log.append(critical))];
await log.close();
fillDisk();
const reopened = [await outcomeOf(openAuditLog({ dir }))];
rmSync(filler);
const next = await openAuditLog({ dir });
await next.append(critical);
await next.close();
const { ok, closed } = await verifyAuditLog({ dir });
const types = [];
for await (const { type } of readAuditEvents({ dir })) types.push(type);
console.log(JSON.stringify({ batch, after, reopened, ok, closed, types }));
