// Keeps 64 appends in flight until it is killed, and prints the number of every event once it is acknowledged.
import { writeSync } from "node:fs";
import { openAuditLog } from "../../dist/index.js";

const [dir, session, options = "{}"] = process.argv.slice(2);
const log = await openAuditLog({ dir, ...JSON.parse(options) });
let next = 0;

async function keepAppending() {
  for (;;) {
    const id = next++;
    const shardId = `${session}-${id}`;
    const severity = id % 20 === 0 ? "critical" : "info";
    const data = { shardId, vramBytes: 1, allocatedBytes: 1, wiped: severity === "info", lost: false, cause: "released" };
    const { sequence } = await log.append({ type: "vram.shard.deallocated", severity, data });
    // Synchronous: what is printed was acknowledged, whatever happens next.
    writeSync(1, `${sequence} ${shardId}\n`);
  }
}

await log.append({
  type: "vram.shard.sealed",
  severity: "info",
  data: {
    shardId: `live-${session}`,
    modelRef: null,
    vramBytes: 1,
    digest: "ab".repeat(32),
    gpuDevice: 0,
    gpuUuid: "GPU-0",
    backend: "simulator",
    kernel: "ab".repeat(32),
    keyId: "0123456789abcdef",
    keyLocked: false,
    sealSequence: 1,
    placement: { bufferId: "1", blockId: "1", access: "read" },
    expected: null,
  },
});
writeSync(1, "ready\n");
await Promise.all(Array.from({ length: 64 }, keepAppending));
