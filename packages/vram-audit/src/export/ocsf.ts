import type { AuditEntry, Envelope, Severity, StoredEvent } from "../events/line.js";
import { sha256Hex } from "../tree/sha256.js";
import { type EventOf, type EventTable, lookUp } from "./event-table.js";
import { messageOf } from "./message.js";

/** An event of the Open Cybersecurity Schema Framework 1.8. Its class says which attributes it has besides these. */
export interface OcsfEvent extends Classified {
  readonly type_uid: number;
  readonly severity_id: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The line of the log. */
  readonly raw_data: string;
  /** Its SHA-256, which the next line carries as `prevhash`. */
  readonly raw_data_hash: OcsfFingerprint;
  readonly unmapped: Readonly<Record<string, unknown>>;
}

interface Classified {
  readonly category_uid: number;
  readonly class_uid: number;
  readonly class_name: string;
  readonly activity_id: number;
  readonly activity_name: string;
  readonly [attribute: string]: unknown;
}

/** A digest, as OCSF spells it. */
export interface OcsfFingerprint {
  readonly algorithm_id: number;
  readonly algorithm: string;
  readonly value: string;
}

const PRODUCT = { name: "vram-residency", vendor_name: "vram-residency" };
const AUDIT_LOG = { feature: { name: "audit log" } };

const SHA_256 = { algorithm_id: 3, algorithm: "SHA-256" };

const SEVERITY: Readonly<Record<Severity, { readonly severity_id: number; readonly severity: string }>> = {
  info: { severity_id: 1, severity: "Informational" },
  warning: { severity_id: 3, severity: "Medium" },
  critical: { severity_id: 5, severity: "Critical" },
};

const SUCCESS = { status_id: 1, status: "Success" };
const FAILURE = { status_id: 2, status: "Failure" };
/** The state of a finding that nobody has looked at. */
const NEW = { status_id: 1, status: "New" };

const ALLOCATE = { activity_id: 1, activity_name: "Allocate Page" };
const DELETE = { activity_id: 3, activity_name: "Delete Page" };
const READ = { activity_id: 7, activity_name: "Read" };
const CREATE = { activity_id: 1, activity_name: "Create" };
const START = { activity_id: 3, activity_name: "Start" };
const STOP = { activity_id: 4, activity_name: "Stop" };
/** What a class has no number for; the name says it. */
const other = (activity_name: string) => ({ activity_id: 99, activity_name });

const MAPPINGS: EventTable<Classified> = {
  "vram.shard.sealed": (event) => ({ ...memory(event), ...ALLOCATE, ...SUCCESS, size: event.data.vramBytes, device: gpu(event.data.gpuUuid) }),
  "vram.shard.resealed": (event) => ({ ...memory(event), ...other("Reseal"), ...SUCCESS }),
  "vram.shard.verified": (event) => ({
    ...memory(event),
    ...READ,
    ...SUCCESS,
    size: event.data.vramBytes,
    duration: Math.round(event.data.durationMs),
  }),
  "vram.range.verified": (event) => ({
    ...memory(event),
    ...READ,
    ...SUCCESS,
    size: event.data.byteLength,
    duration: Math.round(event.data.durationMs),
  }),
  "vram.shard.scrubbed": (event) => ({
    ...memory(event),
    ...READ,
    ...SUCCESS,
    size: event.data.vramBytes,
    duration: Math.round(event.data.durationMs),
  }),
  "vram.shard.repaired": (event) => ({ ...memory(event), ...other("Repair"), ...SUCCESS }),
  "vram.shard.repair_refused": (event) => ({ ...memory(event), ...other("Repair"), ...FAILURE, status_code: event.data.reason }),
  "vram.device.quarantined": (event) => ({
    ...finding(event, "Device quarantined"),
    class_uid: 2004,
    class_name: "Detection Finding",
    is_alert: true,
    evidences: [{ data: { device: event.data.gpuUuid, block: event.data.block } }],
  }),
  "vram.allocation.failed": (event) => ({
    ...memory(event),
    ...ALLOCATE,
    ...FAILURE,
    status_code: event.data.code,
    ...(event.data.neededBytes !== null && { size: event.data.neededBytes }),
  }),
  "vram.shard.deallocated": (event) => ({
    ...memory(event),
    ...DELETE,
    ...(event.data.wiped ? SUCCESS : FAILURE),
    size: event.data.allocatedBytes,
  }),
  "vram.seal.verification_failed": (event) => ({
    ...finding(event, "Seal verification failed"),
    class_uid: 2004,
    class_name: "Detection Finding",
    is_alert: true,
    evidences: [
      {
        data: {
          expected: fingerprint(event.data.expectedDigest),
          actual: fingerprint(event.data.actualDigest),
          ...(event.data.damage !== undefined && { damage: event.data.damage }),
        },
      },
    ],
  }),
  "vram.policy.violation": (event) => ({
    ...finding(event, "Policy violated"),
    class_uid: 2003,
    class_name: "Compliance Finding",
    compliance: {
      requirements: event.data.violations.map(({ rule }) => rule),
      status_id: 3,
      status: "Fail",
      status_details: event.data.violations.map(({ reason }) => reason),
    },
  }),
  "vram.worker.started": (event) => ({ ...lifecycle(event), ...START, ...SUCCESS }),
  "vram.worker.stopped": (event) => ({ ...lifecycle(event), ...STOP, ...outcome(event.data.code) }),
  "vram.key.rotated": (event) => ({ ...lifecycle(event), ...other("Rotate Key"), ...SUCCESS }),
  "vram.key.retired": (event) => ({ ...lifecycle(event), ...other("Retire Key"), ...SUCCESS }),
  "vram.audit.opened": (event) => ({ ...lifecycle(event, AUDIT_LOG), ...START, ...SUCCESS }),
  "vram.audit.recovered": (event) => ({ ...lifecycle(event, AUDIT_LOG), ...other("Recover"), ...SUCCESS }),
  "vram.audit.rotated": (event) => ({ ...lifecycle(event, AUDIT_LOG), ...other("Rotate Log"), ...SUCCESS }),
  "vram.audit.retired": (event) => ({ ...lifecycle(event, AUDIT_LOG), ...other("Remove Log Segments"), ...SUCCESS }),
  "vram.audit.anchor_failed": (event) => ({ ...lifecycle(event, AUDIT_LOG), ...other("Anchor"), ...outcome(event.data.code) }),
  "vram.audit.anchor_restored": (event) => ({ ...lifecycle(event, AUDIT_LOG), ...other("Anchor"), ...SUCCESS }),
  "vram.audit.closed": (event) => ({ ...lifecycle(event, AUDIT_LOG), ...STOP, ...SUCCESS }),
};

/**
 * The entry as an event of OCSF 1.8: Memory Activity, Detection Finding, Compliance Finding or Application Lifecycle; the
 * base event for a newer version's type. Nothing is lost: `raw_data` is the line.
 */
export function toOcsf(entry: AuditEntry): OcsfEvent {
  const { line, envelope, event } = entry;
  const classified = event === undefined ? unknown(envelope) : lookUp(MAPPINGS, event);
  return {
    ...classified,
    type_uid: classified.class_uid * 100 + classified.activity_id,
    ...SEVERITY[envelope.severity],
    time: Date.parse(envelope.time),
    message: messageOf(entry),
    metadata: {
      version: "1.8.0",
      product: PRODUCT,
      uid: envelope.id,
      sequence: Number(envelope.sequence),
      log_name: "audit-v1",
      event_code: envelope.type,
      original_time: envelope.time,
      ...(envelope.correlationid !== undefined && { correlation_uid: envelope.correlationid }),
    },
    raw_data: line,
    raw_data_hash: { ...SHA_256, value: sha256Hex(Buffer.from(line)) },
    unmapped: envelope.data,
  };
}

function fingerprint(value: string | null): OcsfFingerprint | null {
  return value === null ? null : { ...SHA_256, value };
}

/** The class wants a device. Where the event names no GPU, it is known by the worker that has it. */
function memory({ source }: StoredEvent) {
  return {
    category_uid: 1,
    class_uid: 1004,
    class_name: "Memory Activity",
    actor: { app_name: PRODUCT.name, app_uid: source },
    process: { name: PRODUCT.name, uid: source },
    device: { name: source, type_id: 0, type: "Unknown" },
  };
}

function gpu(uid: string) {
  return { uid, type_id: 99, type: "GPU" };
}

function finding({ id, time, data }: EventOf["vram.seal.verification_failed" | "vram.policy.violation" | "vram.device.quarantined"], title: string) {
  return {
    category_uid: 2,
    ...CREATE,
    ...NEW,
    finding_info: { uid: id, title, created_time: Date.parse(time) },
    ...(data.shardId !== null && { resources: [{ uid: data.shardId, type: "shard" }] }),
  };
}

function lifecycle({ source }: StoredEvent, part: Partial<typeof AUDIT_LOG> = {}) {
  return { category_uid: 6, class_uid: 6002, class_name: "Application Lifecycle", app: { ...PRODUCT, uid: source, ...part } };
}

function outcome(code: string | null) {
  return code === null ? SUCCESS : { ...FAILURE, status_code: code };
}

function unknown({ type }: Envelope): Classified {
  return { category_uid: 0, class_uid: 0, class_name: "Base Event", ...other(type) };
}
