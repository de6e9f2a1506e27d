import { holdsUnwrittenBytes, parseLine } from "../events/line.js";
import { type CheckedLine, readRoutineLine } from "../events/routine-line.js";
import { formatSequence } from "../events/sequence.js";
import type { Checkpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import { leafHash, type MerkleTree } from "../tree/merkle-tree.js";
import { ChainCheck } from "./chain-check.js";
import { ClockCheck } from "./clock-check.js";
import { type HistoryFile, readHistory, readLatestCheckpoint } from "./checkpoint-history.js";
import { LeafEvidence } from "./leaf-evidence.js";
import { type LogBatch, type LogSegments, readLogBatches } from "./log-lines.js";
import type { LogStart } from "./log-start.js";
import { ProblemList } from "./problem-list.js";
import type { FileLine, ReadableFile } from "./read-lines.js";
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

/**
 * Reads a log, in bounded memory, and checks everything its format promises. Only if something is wrong is it read again, with the evidence of which line
 * it is.
 */
export async function scanLog(input: ScanInput): Promise<Scan> {
  const { leaves, start } = input;
  const latest = await readLatestCheckpoint(input.history, input.key);
  const scan = await scanWith(LeafEvidence.unjudged(leaves, start.tree), latest, input);
  return scan.problems.isEmpty ? scan : scanWith(await LeafEvidence.signedBy(latest, leaves, start.tree), latest, input);
}

async function scanWith(evidence: LeafEvidence, latest: Checkpoint | undefined, input: ScanInput): Promise<Scan> {
  const { log, history, key, start } = input;
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
  for await (const batch of readLogBatches(log)) {
    const { lines, segment } = batch;
    const whole = wholeLines(batch, tree.size, latest?.size ?? 0);
    await evidence.prepare(whole.length);
    for (const { bytes, complete } of whole) {
      const line = tree.size + 1;
      const parsed = readRoutineLine(bytes) ?? parseLine(bytes);
      segments.check(tree, segment, parsed, bytes);
      if (!complete) problems.add(line, "torn");
      sequence = checkPlace(line, sequence + 1, parsed, problems);
      const leaf = leafHash(bytes);
      if (evidence.check(leaf) === false) problems.add(line, "altered");
      session.check(line, parsed);
      clock.check(line, parsed);
      retirements.check(line, parsed);
      chain.check(line, parsed.envelope?.prevhash, bytes);
      tree.push(leaf);
      if (roots.isDue(line)) await roots.check(tree);
    }
    torn = whole.length < lines.length;
    if (torn) break;
  }
  chain.end();
  await roots.end(tree);
  retirements.end(input.removed, roots.latestSize);
  clock.end();
  return { problems, tree, lastHash: chain.lastHash, torn, segments, session, clock, retirements, roots, storedLeaves: evidence.compared };
}

/**
 * The lines of a batch before the first that a crash left unfinished.
 * @param before how many lines there are before the batch
 * @param signed how many lines a checkpoint vouches for
 */
function wholeLines({ lines, inLast }: LogBatch, before: number, signed: number): readonly FileLine[] {
  const isUnfinished = ({ bytes, complete }: FileLine, index: number) => !complete || (before + index >= signed && holdsUnwrittenBytes(bytes));
  const unfinished = inLast ? lines.findIndex(isUnfinished) : -1;
  return unfinished < 0 ? lines : lines.slice(0, unfinished);
}

/** Judges a line without its neighbours, but for its number. Answers that number. */
function checkPlace(line: number, expected: number, parsed: CheckedLine, problems: ProblemList): number {
  if (parsed.fault !== undefined) {
    problems.add(line, parsed.fault);
    return expected;
  }
  if (parsed.envelope.sequence !== formatSequence(expected)) problems.add(line, "sequence");
  return Number(parsed.envelope.sequence);
}
