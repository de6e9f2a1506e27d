import { type Command, InvalidArgumentError, Option } from "commander";
import { AUDIT_EVENT_TYPES, SEVERITIES } from "vram-audit";
import type { AuditEventType, AuditFilter, Severity } from "vram-audit";
import { z } from "zod";

export interface AuditFilterOptions {
  readonly type?: readonly AuditEventType[];
  readonly shard?: string;
  readonly worker?: string;
  readonly correlation?: string;
  readonly severity?: Severity;
  readonly from?: Date;
  readonly to?: Date;
  readonly fromSequence?: number;
  readonly toSequence?: number;
}

const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** Gives a command the options that choose events. */
export function withFilterOptions(command: Command): Command {
  return command
    .option("--type <type>", "events of this type; may be given several times", addType)
    .option("--shard <id>", "events about this shard")
    .option("--worker <id>", "events of this worker")
    .option("--correlation <id>", "events of the operation with this correlation id")
    .addOption(new Option("--severity <severity>", "events of this severity or a graver one").choices(SEVERITIES))
    .option("--from <time>", "events at this time (RFC 3339, or a date in UTC) or later", readTime)
    .option("--to <time>", "events at this time or earlier", readTime)
    .option("--from-sequence <number>", "this line of the log and later ones; the first is 1", readSequence)
    .option("--to-sequence <number>", "this line of the log and earlier ones", readSequence);
}

export function filterOf({ type, shard, worker, correlation, ...rest }: AuditFilterOptions): AuditFilter {
  const { severity, from, to, fromSequence, toSequence } = rest;
  return { types: type, shardId: shard, workerId: worker, correlationId: correlation, severity, from, to, fromSequence, toSequence };
}

function addType(text: string, before: readonly AuditEventType[] = []): readonly AuditEventType[] {
  const type = AUDIT_EVENT_TYPES.find((known) => known === text);
  if (type === undefined) throw new InvalidArgumentError(`Allowed choices are ${AUDIT_EVENT_TYPES.join(", ")}.`);
  return [...before, type];
}

function readTime(text: string): Date {
  if (!time.safeParse(text).success) throw new InvalidArgumentError("It must be a time as 2026-01-31T12:00:00Z or a date as 2026-01-31.");
  return new Date(text);
}

function readSequence(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
