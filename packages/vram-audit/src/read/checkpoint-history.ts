import { CHECKPOINT_LINES, type Checkpoint, openCheckpoint, type SignedCheckpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import { type ReadableFile, readLines } from "./read-lines.js";

/** A file with the size it had before the log was looked at: no checkpoint in it can be ahead of the log. */
export interface HistoryFile {
  readonly file: ReadableFile;
  readonly byteLength: number;
}

export interface HistoryEntry {
  /** Undefined when the note is malformed or the key did not sign it. */
  readonly checkpoint: Checkpoint | undefined;
  /** Position in the file behind the note. */
  readonly end: number;
  /** False for the beginning of a note at the end of the file. */
  readonly complete: boolean;
}

const TAIL_BYTES = 65_536;

/** The checkpoints of a log, oldest first. */
export async function* readHistory(history: HistoryFile | undefined, key: VerifierKey | undefined): AsyncGenerator<HistoryEntry, undefined> {
  if (history === undefined || key === undefined) return undefined;
  let lines: Buffer[] = [];
  let end = 0;
  for await (const { bytes, end: lineEnd, complete } of readLines(history.file, history.byteLength)) {
    lines.push(bytes);
    end = lineEnd;
    if (!complete) break;
    if (lines.length < CHECKPOINT_LINES) continue;
    yield { checkpoint: openCheckpoint(noteText(lines), key), end, complete };
    lines = [];
  }
  if (lines.length > 0) yield { checkpoint: undefined, end, complete: false };
  return undefined;
}

/** The last checkpoint that `key` signed, looked for near the end of the file. */
export async function readLatestCheckpoint(history: HistoryFile | undefined, key: VerifierKey | undefined): Promise<SignedCheckpoint | undefined> {
  if (history === undefined || key === undefined) return undefined;
  const tail = Buffer.alloc(Math.min(TAIL_BYTES, history.byteLength));
  const { bytesRead } = await history.file.read(tail, 0, tail.length, history.byteLength - tail.length);
  const lines = tail.subarray(0, bytesRead).toString("utf8").split("\n");
  for (let first = lines.length - 1 - CHECKPOINT_LINES; first >= 0; first -= 1) {
    const note = `${lines.slice(first, first + CHECKPOINT_LINES).join("\n")}\n`;
    const checkpoint = openCheckpoint(note, key);
    if (checkpoint !== undefined) return { ...checkpoint, note };
  }
  return undefined;
}

function noteText(lines: readonly Buffer[]): string {
  return lines.map((line) => `${line.toString("utf8")}\n`).join("");
}
