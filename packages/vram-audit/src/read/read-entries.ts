import { setTimeout as delay } from "node:timers/promises";
import { fileUnavailable, unavailable } from "../audit-error.js";
import { type AuditEntry, parseLine } from "../events/line.js";
import { LOG_FILE } from "../storage/file-names.js";
import { openLogReader } from "./log-reader.js";
import { readLines } from "./read-lines.js";

const FOLLOW_POLL_MS = 200;

/** How far a log was read. */
interface Place {
  position: number;
  lines: number;
}

/**
 * The lines of a log, oldest first, as far as it reached when reading began; an unfinished last line is passed over.
 * @throws AuditError `AUDIT_UNAVAILABLE` when there is no readable log or at a line that is none
 */
export function readEntries(dir: string): AsyncGenerator<AuditEntry, undefined> {
  return readFrom(dir, { position: 0, lines: 0 });
}

/**
 * The same, and then the lines that are added, until the signal aborts. Looks again at every poll: file system events
 * are lost on some file systems.
 * @throws AuditError `AUDIT_UNAVAILABLE`, also when lines that were read are gone
 */
export async function* followEntries(dir: string, signal: AbortSignal | undefined): AsyncGenerator<AuditEntry, undefined> {
  const place = { position: 0, lines: 0 };
  do {
    yield* readFrom(dir, place);
  } while (await pause(signal));
  return undefined;
}

async function* readFrom(dir: string, place: Place): AsyncGenerator<AuditEntry, undefined> {
  const reader = await openLogReader(dir);
  try {
    if (reader.logBytes < place.position) {
      throw unavailable("truncated", `the audit log became shorter after line ${place.lines} was read`, { line: place.lines });
    }
    for await (const { bytes, end, complete } of readLines(reader.log, reader.logBytes, place.position)) {
      if (!complete) return undefined;
      place.position = end;
      place.lines += 1;
      yield parseEntry(bytes, place.lines);
    }
    return undefined;
  } catch (error) {
    throw fileUnavailable(LOG_FILE, "read", error);
  } finally {
    await reader.close();
  }
}

function parseEntry(bytes: Buffer, line: number): AuditEntry {
  const { fault, envelope, event } = parseLine(bytes);
  if (fault !== undefined) throw unavailable("damaged", `line ${line} of the audit log is damaged`, { line, problem: fault });
  return { line: bytes.toString("utf8"), envelope, event };
}

/** Whether there was no abort. */
async function pause(signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await delay(FOLLOW_POLL_MS, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch {
    return false;
  }
}
