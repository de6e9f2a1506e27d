// Appends until the log fails, then says how many events were acknowledged.
import { openAuditLog } from "../../dist/index.js";

const log = await openAuditLog({ dir: process.argv[2] });
let acknowledged = 0;
try {
  for (;;) {
    const shardId = `shard-${acknowledged}`;
    await log.append({
      type: "vram.shard.verified",
      severity: "info",
      data: { shardId, digest: "ab".repeat(32), vramBytes: 1, durationMs: 1 },
    });
    acknowledged += 1;
  }
} catch (error) {
  const { code, details } = error;
  console.log(JSON.stringify({ acknowledged, code, errno: details.errno }));
}
await log.close();
