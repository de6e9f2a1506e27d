import type { AuditEntry } from "../events/line.js";
import type { SealVerificationFailed } from "../events/schema.js";
import { type EventTable, lookUp } from "./event-table.js";

const MESSAGES: EventTable<string> = {
  "vram.shard.sealed": ({ data }) => `Shard ${data.shardId} was sealed: ${data.vramBytes} bytes`,
  "vram.shard.resealed": ({ data }) => `Shard ${data.shardId} was sealed anew with the key ${data.keyId}`,
  "vram.shard.verified": ({ data }) => `Shard ${data.shardId} was verified: ${data.vramBytes} bytes`,
  "vram.seal.verification_failed": ({ data }) => `${shardOrSeal(data.shardId)} failed verification: ${[data.reason, ...data.rules, ...damaged(data)].join(", ")}`,
  "vram.range.verified": ({ data }) => `${data.byteLength} bytes at ${data.byteOffset} of the shard ${data.shardId} were verified`,
  "vram.shard.scrubbed": ({ data }) => `Shard ${data.shardId} was verified in the background: ${data.vramBytes} bytes in ${data.ranges} ranges`,
  "vram.shard.repaired": ({ data }) => `Shard ${data.shardId} was repaired: ${data.blocks} blocks`,
  "vram.shard.repair_refused": ({ data }) => `Shard ${data.shardId} was not repaired: ${data.reason}`,
  "vram.device.quarantined": ({ data }) => `The device ${data.gpuUuid} damaged block ${data.block} of the shard ${data.shardId} again and is not to be used`,
  "vram.allocation.failed": ({ data }) => `Memory for the shard ${data.shardId} was not allocated: ${data.code}`,
  "vram.shard.deallocated": ({ data }) => `Shard ${data.shardId} was deallocated, ${wipe(data)}`,
  "vram.policy.violation": ({ data }) => `The policy is violated: ${data.violations.map(({ rule }) => rule).join(", ")}`,
  "vram.worker.started": ({ data }) => `Worker ${data.workerId} started on ${data.gpuName}, backend ${data.backend}`,
  "vram.worker.stopped": ({ data }) => `Worker ${data.workerId} is ${data.state}${data.code === null ? "" : `: ${data.code}`}`,
  "vram.key.rotated": ({ data }) => `The key ${data.keyId} seals from here on, in place of ${data.previousKeyId}`,
  "vram.key.retired": ({ data }) => `The key ${data.keyId} was retired`,
  "vram.audit.opened": ({ data }) => `The audit log ${data.origin} was opened`,
  "vram.audit.recovered": ({ data }) => `The audit log was recovered: ${data.cutBytes} bytes cut, ${data.liveShards.length} shards never deallocated`,
  "vram.audit.rotated": ({ data }) => `The audit log goes on in a new segment behind line ${data.closed.last}`,
  "vram.audit.retired": ({ data }) => `Segments of the audit log were removed: ${data.segments.length}, up to line ${data.segments.at(-1)?.last ?? 0}`,
  "vram.audit.anchor_failed": ({ data }) => `The anchor ${data.anchor} did not keep a checkpoint: ${data.code}; it has one of ${data.keptSize} lines`,
  "vram.audit.anchor_restored": ({ data }) => `The anchor ${data.anchor} keeps checkpoints again: one of ${data.keptSize} lines`,
  "vram.audit.closed": () => "The audit log was closed",
};

/** The event in one line of English, for people. Of a newer version's type nothing more than its name is known. */
export function messageOf({ envelope, event }: AuditEntry): string {
  return event === undefined ? `Event of the unknown type ${envelope.type}` : lookUp(MESSAGES, event);
}

function shardOrSeal(shardId: string | null): string {
  return shardId === null ? "A seal" : `Shard ${shardId}`;
}

/** At most this many blocks are named. */
const NAMED_BLOCKS = 4;

function damaged({ damage }: SealVerificationFailed["data"]): string[] {
  if (damage === undefined) return [];
  const named = damage.blocks.slice(0, NAMED_BLOCKS).map(({ index, singleBit, tensors }) => {
    const facts = [...tensors, ...(singleBit === true ? ["one bit"] : [])];
    return `block ${index}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
  });
  return [`${damage.blockCount} damaged blocks`, ...named, ...(damage.blockCount > named.length ? ["and others"] : [])];
}

function wipe({ wiped, lost }: { readonly wiped: boolean; readonly lost: boolean }): string {
  if (wiped) return "wiped";
  return lost ? "NOT WIPED: its device is lost" : "NOT WIPED";
}
