import { z } from "zod";
import { fileUnavailable, unavailable } from "../audit-error.js";
import { parseLine, type StoredEvent } from "../events/line.js";
import { parseOptions, path } from "../log/options.js";
import { LOG_NAME } from "../storage/file-names.js";
import { readLogLines } from "./log-lines.js";
import { openLogReader } from "./log-reader.js";

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
  const reader = await openLogReader(dir);
  let line = (reader.log.segments[0]?.first ?? 1) - 1;
  try {
    for await (const { bytes, complete, segment, inLast } of readLogLines(reader.log)) {
      if (!complete && inLast) return undefined;
      line += 1;
      const { fault, event } = parseLine(bytes);
      if (fault !== undefined) {
        throw unavailable("damaged", `line ${line} of the audit log, in "${segment.name}", is damaged`, { line, segment: segment.name, problem: fault });
      }
      if (event !== undefined) yield event;
    }
    return undefined;
  } catch (error) {
    throw fileUnavailable(LOG_NAME, "read", error);
  } finally {
    await reader.close();
  }
}
