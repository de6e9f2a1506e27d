import { type Segment, segmentName, segmentsAmong } from "../storage/file-names.js";
import { type FileLine, type ReadableFile, readLines } from "./read-lines.js";

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

export interface LogLine extends FileLine {
  readonly segment: Segment;
  /** Whether the segment is the last one, the only one that a crash leaves unfinished. */
  readonly inLast: boolean;
}

/** Where to go on reading: in the segment with this first line, behind so many of its bytes. */
export interface LinePlace {
  readonly first: number;
  readonly position: number;
}

/** The lines of all segments from a place on, one file open at a time. `end` counts from the beginning of the segment. */
export async function* readLogLines(log: LogSegments, from: LinePlace = { first: 0, position: 0 }): AsyncGenerator<LogLine, undefined> {
  for (const segment of log.segments.filter(({ first }) => first >= from.first)) {
    const inLast = segment === log.segments.at(-1);
    const file = await log.open(segment.name);
    try {
      const limit = inLast ? log.lastBytes : Number.POSITIVE_INFINITY;
      const lines = readLines(file, limit, segment.first === from.first ? from.position : 0);
      for await (const line of lines) yield { ...line, segment, inLast };
    } finally {
      await file.close();
    }
  }
  return undefined;
}
