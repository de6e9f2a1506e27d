import { messageOf, queryAuditLog } from "vram-audit";
import type { AuditEntry } from "vram-audit";
import { filterOf } from "./audit-filter.js";
import type { AuditFilterOptions } from "./audit-filter.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

export interface AuditQueryOptions extends AuditFilterOptions {
  readonly follow?: true;
  readonly json?: true;
}

/** Prints the events of a log that pass a filter, a line each, until the signal or until nobody reads any more. */
export async function auditQuery(dir: string, options: AuditQueryOptions, output: Output, signal: AbortSignal): Promise<ExitCode> {
  const { follow = false, json = false } = options;
  for await (const entry of queryAuditLog({ dir, filter: filterOf(options), follow, signal })) {
    if (!(await output.line(json ? entry.line : humanLine(entry)))) break;
  }
  return EXIT.good;
}

function humanLine(entry: AuditEntry): string {
  const { time, sequence, severity, type, source } = entry.envelope;
  return `${time} ${Number(sequence)} ${severity} ${type} ${source}: ${messageOf(entry)}`;
}
