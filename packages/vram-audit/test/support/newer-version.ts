import { type AuditLog, openAuditLog } from "../../src/index.js";
import { DurableAuditLog } from "../../src/log/durable-audit-log.js";
import { sealed } from "./events.js";

const EVENTS = [
  { type: "vram.shard.migrated", severity: "warning", data: { shardId: "a", blocks: [1.5, null, { "é": true }] } },
  { type: "vram.audit.compacted", severity: "info", data: {} },
];

/** Adds events of types that only a newer version knows, through the chain that writes every other. */
export async function appendNewer(log: AuditLog): Promise<void> {
  if (!(log instanceof DurableAuditLog)) throw new Error("the log is another writer's");
  await log.record(EVENTS as never);
}

/** A closed log of one session of a newer version, with a shard left live. */
export async function writeNewerLog(dir: string): Promise<void> {
  const log = await openAuditLog({ dir });
  await log.append(sealed("a"));
  await appendNewer(log);
  await log.close();
}
