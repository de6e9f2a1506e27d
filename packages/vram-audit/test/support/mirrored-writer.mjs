// Appends with the ready logger as the mirror, says how many events were acknowledged, and exits at once.
import { writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { openAuditLog } from "../../dist/index.js";
import { auditLogger } from "../../dist/winston.js";

const log = await openAuditLog({ dir: process.argv[2], mirror: auditLogger() });
const event = {
  type: "vram.shard.verified",
  severity: "info",
  data: { shardId: "a", digest: "ab".repeat(32), vramBytes: 1, durationMs: 1 },
};
const receipts = await Promise.all(Array.from({ length: 3000 }, () => log.append(event)));
await turn();
writeSync(1, String(receipts.length));
process.exit(0);
