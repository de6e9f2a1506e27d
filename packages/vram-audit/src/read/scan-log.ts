import { formatSequence, holdsUnwrittenBytes, type ParsedLine, parseLine } from "../events/line.js";
import type { Checkpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import { leafHash, MerkleTree } from "../tree/merkle-tree.js";
import { ChainCheck } from "./chain-check.js";
import { type HistoryFile, readHistory, readLatestCheckpoint } from "./checkpoint-history.js";
import { LeafEvidence } from "./leaf-evidence.js";
import { ProblemList } from "./problem-list.js";
import { type ReadableFile, readLines } from "./read-lines.js";
import { RootCheck } from "./root-check.js";
import { SessionCheck } from "./session-check.js";

export interface ScanInput {
  readonly log: ReadableFile;
  readonly logBytes: number;
  readonly history: HistoryFile | undefined;
  readonly leaves: ReadableFile | undefined;
  /** Its name is the log's origin. Without it no checkpoint can be believed. */
  readonly key: VerifierKey | undefined;
  /** Checkpoints of the log that were kept elsewhere. */
  readonly anchors: readonly Checkpoint[];
  /** Lines before this checkpoint's last are not judged again if the stored leaf hashes have its root. */
  readonly trusted?: Checkpoint | undefined;
}

/** What one pass over a log shows. A torn tail is not among `problems`: what it means is the caller's to say. */
export interface Scan {
  readonly problems: ProblemList;
  readonly tree: MerkleTree;
  readonly lastHash: string;
  /** Bytes of whole lines. */
  readonly wholeBytes: number;
  /** Whether bytes follow that are no whole line. */
  readonly torn: boolean;
  readonly session: SessionCheck;
  readonly roots: RootCheck;
  /** How many lines have a stored leaf hash. */
  readonly storedLeaves: number;
  /** How many lines were taken from the stored leaf hashes, because a trusted checkpoint vouches for these. */
  readonly skipped: number;
}

/** Reads a log once, in bounded memory, and checks everything its format promises. */
export async function scanLog(input: ScanInput): Promise<Scan> {
  const { log, history, key } = input;
  const latest = await readLatestCheckpoint(history, key);
  const evidence = await LeafEvidence.open(input.leaves, latest, input.trusted);
  const problems = new ProblemList();
  const tree = new MerkleTree();
  const roots = new RootCheck(problems, key?.name, readHistory(history, key), input.anchors);
  const session = new SessionCheck(problems, key);
  const isVouched = (line: number) => line <= Math.max(evidence.compared, roots.matched) && !problems.has(line);
  const chain = new ChainCheck(problems, isVouched);
  // The last trusted line is read again: the next one carries its hash.
  const skipped = Math.max(0, evidence.trusted - 1);
  let sequence = skipped;
  let wholeBytes = 0;
  let torn = false;
  await roots.begin();
  for await (const { bytes, end, complete } of readLines(log, input.logBytes)) {
    const line = tree.size + 1;
    torn = !complete || (line > (latest?.size ?? 0) && holdsUnwrittenBytes(bytes));
    if (torn) break;
    const trusted = line <= skipped ? await evidence.next() : undefined;
    const leaf = trusted ?? leafHash(bytes);
    if (trusted === undefined) {
      const parsed = parseLine(bytes);
      sequence = checkPlace(line, sequence + 1, parsed, problems);
      if ((await evidence.check(leaf)) === false) problems.add(line, "altered");
      session.check(line, parsed);
      const linksToSkipped = skipped > 0 && line === skipped + 1;
      chain.check(line, linksToSkipped ? undefined : parsed.envelope?.prevhash, bytes);
    }
    tree.push(leaf);
    if (roots.isDue(line)) await roots.check(tree);
    wholeBytes = end;
  }
  chain.end();
  await roots.end(tree);
  const { lastHash } = chain;
  return { problems, tree, lastHash, wholeBytes, torn, session, roots, storedLeaves: evidence.compared, skipped: Math.min(skipped, tree.size) };
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
