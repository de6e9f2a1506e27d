import { ENTRIES_MAX } from "../events/fields.js";
import type { ClosedSegment } from "../storage/segment-tally.js";

/** How much of a log is kept; a limit that is absent keeps everything. */
export interface RetentionLimits {
  /** Of all segments together. */
  readonly bytes?: number | undefined;
  /** Since a segment was closed. */
  readonly milliseconds?: number | undefined;
  /** The one being written included. */
  readonly segments?: number | undefined;
}

const NO_LIMIT = Number.POSITIVE_INFINITY;

/** The oldest closed segments beyond any of the limits, no more than one record can name. */
export function segmentsBeyond(limits: RetentionLimits, closed: readonly ClosedSegment[], currentBytes: number, nowMs: number): readonly ClosedSegment[] {
  const { bytes = NO_LIMIT, milliseconds = NO_LIMIT, segments = NO_LIMIT } = limits;
  let keptBytes = closed.reduce((sum, { facts }) => sum + facts.bytes, currentBytes);
  let keptSegments = closed.length + 1;
  const kept = closed.findIndex(({ facts, closedAtMs }) => {
    if (keptBytes <= bytes && keptSegments <= segments && nowMs - closedAtMs <= milliseconds) return true;
    keptBytes -= facts.bytes;
    keptSegments -= 1;
    return false;
  });
  return closed.slice(0, Math.min(kept < 0 ? closed.length : kept, ENTRIES_MAX));
}
