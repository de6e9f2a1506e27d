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

interface ReadLine {
  readonly bytes: Buffer;
  readonly segment: Segment;
  /** With this line as the last. */
  readonly progress: Progress;
}

/**
 * The lines of a log, oldest first, as far as it reached when reading began; an unfinished last line is passed over.
 * @param from the first line; those before it are not judged, nor files without it read
 * @throws AuditError `AUDIT_UNAVAILABLE` when there is no readable log or at a line that is none
 */
export async function* readEntries(dir: string, from = 1): AsyncGenerator<AuditEntry, undefined> {
  for await (const read of readFrom(dir, from, undefined)) if (read.progress.line >= from) yield parseEntry(read);
  return undefined;
}

/**
 * The same, and then the lines that are added, until the signal aborts. Looks again at every poll: file system events
 * are lost on some file systems.
 * @throws AuditError `AUDIT_UNAVAILABLE`, also when lines are gone that were read, or that were not read yet
 */
export async function* followEntries(dir: string, signal: AbortSignal | undefined, from = 1): AsyncGenerator<AuditEntry, undefined> {
  let last: Progress | undefined;
  do {
    for await (const read of readFrom(dir, from, last)) {
      last = read.progress;
      if (last.line >= from) yield parseEntry(read);
    }
  } while (await pause(signal));
  return undefined;
}

async function* readFrom(dir: string, from: number, last: Progress | undefined): AsyncGenerator<ReadLine, undefined> {
  const reader = await openLogReader(dir);
  try {
    const place = last === undefined ? firstPlace(reader.log, from) : nextPlace(reader.log, last);
    let line = last?.line ?? place.first - 1;
    for await (const { bytes, end, complete, segment, inLast } of readLogLines(reader.log, place)) {
      if (!complete && inLast) return undefined;
      line += 1;
      yield { bytes, segment, progress: { line, place: { first: segment.first, position: end } } };
    }
    return undefined;
  } catch (error) {
    throw fileUnavailable(LOG_NAME, "read", error);
  } finally {
    await reader.close();
  }
}

/** The beginning of the segment with a line, or of the first one that is there. */
function firstPlace({ segments }: LogSegments, from: number): LinePlace {
  const holding = segments.findLast(({ first }) => first <= from) ?? segments[0];
  return { first: holding?.first ?? 1, position: 0 };
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

function parseEntry({ bytes, segment: { name }, progress: { line } }: ReadLine): AuditEntry {
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
