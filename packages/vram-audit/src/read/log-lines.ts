import { type Segment, segmentName, segmentsAmong } from "../storage/file-names.js";
import { type FileLine, type ReadableFile, readLineBatches } from "./read-lines.js";

export interface SegmentFile extends ReadableFile {
  stat(): Promise<{ readonly size: number }>;
  close(): Promise<void>;
}

/** The segments of a log that is there at one moment. */
export interface LogSegments {
  /** In the order of their lines. */
  readonly segments: readonly Segment[];
  /** The size of the last one; a writer may have added to it. */
  readonly lastBytes: number;
  readonly open: (name: string) => Promise<SegmentFile>;
}

/**
 * The segments among the names in a directory; of a log without any, the one that it begins with.
 * @param open for a writer creates what is missing, for a reader refuses it
 */
export async function findSegments(names: readonly string[], open: (name: string) => Promise<SegmentFile>): Promise<LogSegments> {
  const found = segmentsAmong(names);
  const last = found.at(-1) ?? { name: segmentName(1), first: 1 };
  const file = await open(last.name);
  try {
    return { segments: found.length > 0 ? found : [last], lastBytes: (await file.stat()).size, open };
  } finally {
    await file.close();
  }
}

interface LinePart {
  readonly segment: Segment;
  /** Whether the segment is the last one, the only one that a crash leaves unfinished. */
  readonly inLast: boolean;
}

export interface LogLine extends FileLine, LinePart {}

/** Lines of one segment that follow one another. */
export interface LogBatch extends LinePart {
  readonly lines: readonly FileLine[];
}

/** Where to go on reading: in the segment with this first line, behind so many of its bytes. */
export interface LinePlace {
  readonly first: number;
  readonly position: number;
}

/** The lines of all segments from a place on, one file open at a time. `end` counts from the beginning of the segment. */
export async function* readLogLines(log: LogSegments, from: LinePlace = { first: 0, position: 0 }): AsyncGenerator<LogLine, undefined> {
  for await (const { lines, segment, inLast } of readLogBatches(log, from)) {
    for (const line of lines) yield { ...line, segment, inLast };
  }
  return undefined;
}

/** The same, as many at a time as one read has found. */
export async function* readLogBatches(log: LogSegments, from: LinePlace = { first: 0, position: 0 }): AsyncGenerator<LogBatch, undefined> {
  for (const segment of log.segments.filter(({ first }) => first >= from.first)) {
    const inLast = segment === log.segments.at(-1);
    const file = await log.open(segment.name);
    try {
      const limit = inLast ? log.lastBytes : Number.POSITIVE_INFINITY;
      const batches = readLineBatches(file, limit, segment.first === from.first ? from.position : 0);
      for await (const lines of batches) yield { lines, segment, inLast };
    } finally {
      await file.close();
    }
  }
  return undefined;
}
