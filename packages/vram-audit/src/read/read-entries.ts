import { setTimeout as delay } from "node:timers/promises";
import { fileUnavailable, unavailable } from "../audit-error.js";
import { type AuditEntry, parseLine } from "../events/line.js";
import { LOG_NAME, type Segment } from "../storage/file-names.js";
import { type LinePlace, type LogSegments, readLogLines } from "./log-lines.js";
import { openLogReader } from "./log-reader.js";

const FOLLOW_POLL_MS = 200;

/** How far a log was read: its last line, and where the next one begins or will begin. */
interface Progress {
  readonly line: number;
  readonly place: LinePlace;
}

/**
 * The lines of a log, oldest first, as far as it reached when reading began; an unfinished last line is passed over.
 * @throws AuditError `AUDIT_UNAVAILABLE` when there is no readable log or at a line that is none
 */
export async function* readEntries(dir: string): AsyncGenerator<AuditEntry, undefined> {
  for await (const { entry } of readFrom(dir, undefined)) yield entry;
  return undefined;
}

/**
 * The same, and then the lines that are added, until the signal aborts. Looks again at every poll: file system events
 * are lost on some file systems.
 * @throws AuditError `AUDIT_UNAVAILABLE`, also when lines are gone that were read, or that were not read yet
 */
export async function* followEntries(dir: string, signal: AbortSignal | undefined): AsyncGenerator<AuditEntry, undefined> {
  let last: Progress | undefined;
  do {
    for await (const { entry, progress } of readFrom(dir, last)) {
      last = progress;
      yield entry;
    }
  } while (await pause(signal));
  return undefined;
}

async function* readFrom(dir: string, last: Progress | undefined): AsyncGenerator<{ entry: AuditEntry; progress: Progress }, undefined> {
  const reader = await openLogReader(dir);
  try {
    const { segments } = reader.log;
    let line = last?.line ?? (segments[0]?.first ?? 1) - 1;
    for await (const { bytes, end, complete, segment, inLast } of readLogLines(reader.log, last && nextPlace(reader.log, last))) {
      if (!complete && inLast) return undefined;
      line += 1;
      yield { entry: parseEntry(bytes, line, segment), progress: { line, place: { first: segment.first, position: end } } };
    }
    return undefined;
  } catch (error) {
    throw fileUnavailable(LOG_NAME, "read", error);
  } finally {
    await reader.close();
  }
}

/** Where the line behind the last one read stands: in the same segment, or at the beginning of the next. */
function nextPlace({ segments, lastBytes }: LogSegments, { line, place }: Progress): LinePlace {
  const holding = segments.findLast(({ first }) => first <= line + 1);
  if (holding?.first === place.first) {
    if (holding !== segments.at(-1) || place.position <= lastBytes) return place;
  } else if (holding?.first === line + 1) {
    return { first: holding.first, position: 0 };
  }
  throw unavailable("truncated", `the audit log no longer has what follows line ${line}`, { line });
}

function parseEntry(bytes: Buffer, line: number, { name }: Segment): AuditEntry {
  const { fault, envelope, event } = parseLine(bytes);
  if (fault !== undefined) {
    throw unavailable("damaged", `line ${line} of the audit log, in "${name}", is damaged`, { line, segment: name, problem: fault });
  }
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
