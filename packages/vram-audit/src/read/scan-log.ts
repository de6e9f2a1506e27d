import { holdsUnwrittenBytes, type ParsedLine, parseLine } from "../events/line.js";
import { formatSequence } from "../events/sequence.js";
import type { Checkpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import { leafHash, type MerkleTree } from "../tree/merkle-tree.js";
import { ChainCheck } from "./chain-check.js";
import { ClockCheck } from "./clock-check.js";
import { type HistoryFile, readHistory, readLatestCheckpoint } from "./checkpoint-history.js";
import { LeafEvidence } from "./leaf-evidence.js";
import { type LogSegments, readLogLines } from "./log-lines.js";
import type { LogStart } from "./log-start.js";
import { ProblemList } from "./problem-list.js";
import type { ReadableFile } from "./read-lines.js";
import { RetirementCheck } from "./retirement-check.js";
import { RootCheck } from "./root-check.js";
import { SegmentCheck } from "./segment-check.js";
import { SessionCheck } from "./session-check.js";

export interface ScanInput {
  readonly log: LogSegments;
  readonly start: LogStart;
  readonly history: HistoryFile | undefined;
  readonly leaves: ReadableFile | undefined;
  /** Its name is the log's origin. Without it no checkpoint can be believed. */
  readonly key: VerifierKey | undefined;
  /** Checkpoints of the log that were kept elsewhere. */
  readonly anchors: readonly Checkpoint[];
  /** How many lines before the first one must have been removed by record. */
  readonly removed: number;
}

/** What one pass over a log shows. A torn tail is not among `problems`: what it means is the caller's to say. */
export interface Scan {
  readonly problems: ProblemList;
  readonly tree: MerkleTree;
  readonly lastHash: string;
  /** Whether bytes follow that are no whole line. */
  readonly torn: boolean;
  readonly segments: SegmentCheck;
  readonly session: SessionCheck;
  readonly clock: ClockCheck;
  readonly retirements: RetirementCheck;
  readonly roots: RootCheck;
  /** How many lines have a stored leaf hash. */
  readonly storedLeaves: number;
}

/** Reads a log once, in bounded memory, and checks everything its format promises. */
export async function scanLog(input: ScanInput): Promise<Scan> {
  const { log, history, key, start } = input;
  const latest = await readLatestCheckpoint(history, key);
  const evidence = await LeafEvidence.open(input.leaves, latest, start.tree);
  const problems = new ProblemList();
  const tree = start.tree.copy();
  const roots = new RootCheck(problems, key?.name, readHistory(history, key), input.anchors);
  const segments = new SegmentCheck(problems);
  const session = new SessionCheck(problems, key);
  const clock = new ClockCheck(problems);
  const retirements = new RetirementCheck(problems);
  const isVouched = (line: number) => line <= Math.max(evidence.compared, roots.matched) && !problems.has(line);
  const chain = new ChainCheck(problems, start.lastHash, isVouched);
  let sequence = tree.size;
  let torn = false;
  await roots.begin(tree);
  for await (const { bytes, complete, segment, inLast } of readLogLines(log)) {
    const line = tree.size + 1;
    torn = inLast && (!complete || (line > (latest?.size ?? 0) && holdsUnwrittenBytes(bytes)));
    if (torn) break;
    const parsed = parseLine(bytes);
    segments.check(tree, segment, parsed, bytes);
    if (!complete) problems.add(line, "torn");
    sequence = checkPlace(line, sequence + 1, parsed, problems);
    const leaf = leafHash(bytes);
    if ((await evidence.check(leaf)) === false) problems.add(line, "altered");
    session.check(line, parsed);
    clock.check(line, parsed);
    retirements.check(line, parsed);
    chain.check(line, parsed.envelope?.prevhash, bytes);
    tree.push(leaf);
    if (roots.isDue(line)) await roots.check(tree);
  }
  chain.end();
  await roots.end(tree);
  retirements.end(input.removed, roots.latestSize);
  clock.end();
  return { problems, tree, lastHash: chain.lastHash, torn, segments, session, clock, retirements, roots, storedLeaves: evidence.compared };
}

/** Judges a line without its neighbours, but for its number. Answers that number. */
function checkPlace(line: number, expected: number, parsed: ParsedLine, problems: ProblemList): number {
  if (parsed.fault !== undefined) {
    problems.add(line, parsed.fault);
    return expected;
  }
  if (parsed.envelope.sequence !== formatSequence(expected)) problems.add(line, "sequence");
  return Number(parsed.envelope.sequence);
}
