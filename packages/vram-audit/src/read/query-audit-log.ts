import { z } from "zod";
import { correlationId, count, name, oneOf, shardId } from "../events/fields.js";
import { type AuditEntry, type Envelope, SEVERITIES, type Severity } from "../events/line.js";
import { workerSource } from "../events/parse-event.js";
import { AUDIT_EVENT_TYPES, type AuditEventType } from "../events/schema.js";
import { parseOptions, path } from "../log/options.js";
import { followEntries, readEntries } from "./read-entries.js";

/** What an entry must be to be found; everything that is given must hold. */
export interface AuditFilter {
  /** Any of these; a type of a newer version is none of them. */
  readonly types?: readonly AuditEventType[] | undefined;
  /** Events about this shard. */
  readonly shardId?: string | undefined;
  /** Events of this worker. */
  readonly workerId?: string | undefined;
  /** Events of the operation with this id. */
  readonly correlationId?: string | undefined;
  /** This severity or a graver one. */
  readonly severity?: Severity | undefined;
  /** Not before. */
  readonly from?: Date | undefined;
  /** Not after. */
  readonly to?: Date | undefined;
  /** This line or a later one; the first line is 1. Lines before it are not judged. */
  readonly fromSequence?: number | undefined;
  /** This line or an earlier one. */
  readonly toSequence?: number | undefined;
}

/** Which events are asked for. */
export interface QueryAuditLogOptions {
  readonly dir: string;
  readonly filter?: AuditFilter;
  /** Goes on with the lines that are added to the log, until `signal` aborts. */
  readonly follow?: boolean;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

const date = z.date("be a valid Date");
const schema = z.strictObject(
  {
    dir: path,
    filter: z
      .strictObject(
        {
          types: z.array(oneOf(...AUDIT_EVENT_TYPES), "be an array").optional(),
          shardId: shardId.optional(),
          workerId: name.optional(),
          correlationId: correlationId.optional(),
          severity: oneOf(...SEVERITIES).optional(),
          from: date.optional(),
          to: date.optional(),
          fromSequence: count.optional(),
          toSequence: count.optional(),
        },
        "be an object with known conditions only",
      )
      .default({}),
    follow: z.boolean("be true or false").default(false),
    signal: z.instanceof(AbortSignal, { error: "be an AbortSignal" }).optional(),
  },
  "be an object with known options only",
);

type ParsedFilter = z.output<typeof schema>["filter"];

/**
 * The lines of a log that pass a filter, oldest first, in bounded memory; without `follow`, as far as the log reached
 * when reading began. Proves nothing: that is {@link verifyAuditLog}'s part. Lines of newer versions' types are there
 * too; an unfinished last line is not, until it is finished.
 * @throws AuditError `INVALID_INPUT`; `AUDIT_UNAVAILABLE` when there is no readable log, at a line that is none, and when
 * lines vanish from a log that is followed
 */
export async function* queryAuditLog(options: QueryAuditLogOptions): AsyncGenerator<AuditEntry, undefined> {
  const { dir, filter, follow, signal } = parseOptions(schema, options);
  const { fromSequence } = filter;
  for await (const entry of follow ? followEntries(dir, signal, fromSequence) : readEntries(dir, fromSequence)) {
    if (signal?.aborted === true) return undefined;
    if (passes(entry.envelope, filter)) yield entry;
  }
  return undefined;
}

function passes(envelope: Envelope, filter: ParsedFilter): boolean {
  const { types, severity, workerId } = filter;
  return (
    (types === undefined || types.some((type) => type === envelope.type)) &&
    (filter.shardId === undefined || isAbout(envelope, filter.shardId)) &&
    (workerId === undefined || envelope.source === workerSource(workerId)) &&
    (filter.correlationId === undefined || envelope.correlationid === filter.correlationId) &&
    (severity === undefined || SEVERITIES.indexOf(envelope.severity) >= SEVERITIES.indexOf(severity)) &&
    isBetween(Date.parse(envelope.time), filter.from?.getTime(), filter.to?.getTime()) &&
    isBetween(Number(envelope.sequence), filter.fromSequence, filter.toSequence)
  );
}

/** Whoever wrote an event may have given it another subject than its shard. */
function isAbout({ subject, data }: Envelope, shard: string): boolean {
  return subject === shard || data["shardId"] === shard;
}

function isBetween(value: number, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY): boolean {
  return least <= value && value <= most;
}
