import { formatSequence } from "../events/sequence.js";

/** What messages call a log whose file is not known. */
export const LOG_NAME = "audit-v1";
/** Every signed checkpoint, oldest first. */
export const CHECKPOINT_FILE = "audit-v1.checkpoints";
/** The leaf hash of every line under a checkpoint: with a checkpoint's root they tell which line was altered. */
export const LEAF_FILE = "audit-v1.leaves";
/** Room for events that must not be lost when the disk is full. */
export const RESERVE_FILE = "audit-v1.reserve";

/** The newest checkpoint in the directory of an anchor. */
export const ANCHOR_FILE = "audit-v1.checkpoint";

/** Beside the log's directory, so that who can write there cannot also sign. */
export const KEY_SUFFIX = ".key";
export const PUBLIC_KEY_SUFFIX = ".pub";

const SEGMENT_NAME = /^audit-v1\.([0-9]{16})\.jsonl$/;

/** A file of events, one JSON object a line, named by the number of the first. All of them are the record; everything else can be checked against it. */
export interface Segment {
  readonly name: string;
  readonly first: number;
}

export function segmentName(first: number): string {
  return `audit-v1.${formatSequence(first)}.jsonl`;
}

/** The segments among the names in a directory, in the order of their lines. */
export function segmentsAmong(names: readonly string[]): readonly Segment[] {
  return names
    .map((name) => ({ name, first: Number(SEGMENT_NAME.exec(name)?.[1]) }))
    .filter(({ first }) => Number.isSafeInteger(first) && first > 0)
    .toSorted((a, b) => a.first - b.first);
}
