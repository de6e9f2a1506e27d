// Appends until the log fails, then says how many events were acknowledged.
import { openAuditLog } from "../../dist/index.js";

const log = await openAuditLog({ dir: process.argv[2] });
let acknowledged = 0;
try {
  for (;;) {
    await log.append({
      type: "vram.policy.violation",
      severity: "critical",
      data: { stage: "open", shardId: null, violations: Array.from({ length: 100 }, () => ({ rule: "x".repeat(1000), reason: "r" })) },
    });
    acknowledged += 1;
  }
} catch (error) {
  const { code, details } = error;
  console.log(JSON.stringify({ acknowledged, code, errno: details.errno }));
}
await log.close();
