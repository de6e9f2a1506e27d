import { queryAuditLog, toOcsf, toOtel } from "vram-audit";
import type { AuditEntry } from "vram-audit";
import { filterOf } from "./audit-filter.js";
import type { AuditFilterOptions } from "./audit-filter.js";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import type { Output } from "./output.js";

const FORMATS = {
  ocsf: (entry: AuditEntry) => JSON.stringify(toOcsf(entry)),
  otel: (entry: AuditEntry) => JSON.stringify(toOtel(entry)),
  json: ({ line }: AuditEntry) => line,
} as const;

export const EXPORT_FORMATS = Object.keys(FORMATS);

export interface AuditExportOptions extends AuditFilterOptions {
  readonly format: keyof typeof FORMATS;
}

/** Prints the events of a log that pass a filter, one JSON value a line, until nobody reads any more. */
export async function auditExport(dir: string, options: AuditExportOptions, output: Output, signal: AbortSignal): Promise<ExitCode> {
  const format = FORMATS[options.format];
  for await (const entry of queryAuditLog({ dir, filter: filterOf(options), signal })) {
    if (!(await output.line(format(entry)))) break;
  }
  return EXIT.good;
}
