import type { z } from "zod";
import { invalidInput } from "../audit-error.js";
import { type AuditEvent, type KnownEvent, workerEventSchema } from "./schema.js";

/**
 * A copy of a caller's event, checked field by field.
 * @throws AuditError `INVALID_INPUT`
 */
export function parseEvent(value: unknown): AuditEvent {
  const result = workerEventSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalidInput(fieldName(issue), issue?.message ?? "be an audit event");
}

/** Only names of the schema and positions appear: an unknown field is reported on its parent. */
function fieldName(issue: z.core.$ZodIssue | undefined): string {
  return ["event", ...(issue?.path ?? []).map(String)].join(".");
}

/** The CloudEvents subject: as given, else the shard the event is about. */
export function subjectOf({ subject, data }: KnownEvent): string | undefined {
  return subject ?? ("shardId" in data ? (data.shardId ?? undefined) : undefined);
}

/** The CloudEvents source: as given, else the worker the event is about, else the log. */
export function sourceOf({ source, data }: KnownEvent, origin: string): string {
  return source ?? ("workerId" in data ? workerSource(data.workerId) : origin);
}

/** The CloudEvents source of a worker's events. */
export function workerSource(workerId: string): string {
  return `urn:vram:worker:${encodeURIComponent(workerId)}`;
}
