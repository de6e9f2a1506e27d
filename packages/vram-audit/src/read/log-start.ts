import { GENESIS, type ParsedLine, parseLine } from "../events/line.js";
import type { AuditOpened, AuditRotated } from "../events/schema.js";
import { MerkleTree } from "../tree/merkle-tree.js";
import { type LogSegments, readLogLines } from "./log-lines.js";

/** What comes before the first line that is there: nothing, or lines that were removed. */
export interface LogStart {
  /** The tree over the lines before. */
  readonly tree: MerkleTree;
  /** The hash of the last line before. */
  readonly lastHash: string;
  /** What the first line says about the log's key; undefined when it is neither the line that opens a log nor one that begins a segment. */
  readonly named: (AuditOpened | AuditRotated)["data"] | undefined;
}

/** Reads where a log begins. Proves nothing: the root of the tree that goes on from here does, once it is signed. */
export async function readLogStart(log: LogSegments): Promise<LogStart> {
  const parsed = await readFirstLine(log);
  const { event } = parsed ?? {};
  const named = event?.type === "vram.audit.opened" || event?.type === "vram.audit.rotated" ? event.data : undefined;
  const removed = (log.segments[0]?.first ?? 1) - 1;
  if (removed === 0) return { tree: new MerkleTree(), lastHash: GENESIS, named };
  const subtrees = event?.type === "vram.audit.rotated" ? event.data.subtrees : [];
  return { tree: treeOf(removed, subtrees), lastHash: parsed?.envelope?.prevhash ?? GENESIS, named };
}

async function readFirstLine(log: LogSegments): Promise<ParsedLine | undefined> {
  for await (const { bytes } of readLogLines(log)) return parseLine(bytes);
  return undefined;
}

/** A tree has a full subtree for every one bit of its size; one that nobody told of is all zeros, which no signed root is over. */
function treeOf(size: number, subtrees: readonly string[]): MerkleTree {
  const count = size.toString(2).replaceAll("0", "").length;
  return new MerkleTree(size, Array.from({ length: count }, (_, index) => Buffer.from(subtrees[index] ?? GENESIS, "hex")));
}
