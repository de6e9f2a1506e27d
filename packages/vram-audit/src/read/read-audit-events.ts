import { z } from "zod";
import type { StoredEvent } from "../events/line.js";
import { parseOptions, path } from "../log/options.js";
import { readEntries } from "./read-entries.js";

/** Which log to read. */
export interface ReadAuditEventsOptions {
  readonly dir: string;
}

const schema = z.strictObject({ dir: path }, "be an object with known options only");

/**
 * The events of a log, oldest first, as far as it reached when reading began. Proves nothing: that is
 * {@link verifyAuditLog}'s part. Types of newer versions and an unfinished last line are passed over.
 * @throws AuditError `INVALID_INPUT`; `AUDIT_UNAVAILABLE` when there is no readable log or at a line that is none
 */
export async function* readAuditEvents(options: ReadAuditEventsOptions): AsyncGenerator<StoredEvent, undefined> {
  const { dir } = parseOptions(schema, options);
  for await (const { event } of readEntries(dir)) if (event !== undefined) yield event;
  return undefined;
}
