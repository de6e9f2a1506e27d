import { leftSize, MerkleTree } from "./merkle-tree.js";

/** Entries from `from`, counted from 0, up to but not `to`, which are a subtree. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** The hashes of a proof, in the order of RFC 6962, with the root of all the leaves that they were made from. */
export interface Proof {
  readonly hashes: readonly Buffer[];
  readonly size: number;
  readonly root: Buffer;
}

type Leaves = AsyncIterable<Buffer>;

/**
 * RFC 6962 section 2.1.1: the proof that entry `index`, counted from 0, is among `size` ones. Reads the leaf hashes once and
 * keeps none. A proof of leaves that may be wrong, or fewer, is worth what its root is: compare that, and the size.
 */
export function proveInclusion(leaves: Leaves, index: number, size: number): Promise<Proof> {
  return prove(leaves, inclusionRanges(index, { from: 0, to: size }));
}

/**
 * RFC 6962 section 2.1.2: the proof that the tree of the first `oldSize` entries, at least one, is part of the tree of `size`.
 * Otherwise like {@link proveInclusion}.
 */
export function proveConsistency(leaves: Leaves, oldSize: number, size: number): Promise<Proof> {
  return prove(leaves, consistencyRanges(oldSize, { from: 0, to: size }));
}

/** PATH(m, D[n]) */
function inclusionRanges(index: number, { from, to }: Range): readonly Range[] {
  if (to - from <= 1) return [];
  const middle = from + leftSize(to - from);
  const [left, right] = [{ from, to: middle }, { from: middle, to }];
  return index < middle ? [...inclusionRanges(index, left), right] : [...inclusionRanges(index, right), left];
}

/** PROOF(m, D[n]): what begins with the first entry and ends with the old tree is that tree, whose root the verifier has. */
function consistencyRanges(oldSize: number, { from, to }: Range): readonly Range[] {
  if (oldSize === to) return from === 0 ? [] : [{ from, to }];
  const middle = from + leftSize(to - from);
  const [left, right] = [{ from, to: middle }, { from: middle, to }];
  return oldSize <= middle ? [...consistencyRanges(oldSize, left), right] : [...consistencyRanges(oldSize, right), left];
}

async function prove(leaves: Leaves, ranges: readonly Range[]): Promise<Proof> {
  const parts = ranges.map((range) => ({ range, tree: new MerkleTree() }));
  const inOrder = parts.toSorted((a, b) => a.range.from - b.range.from);
  const whole = new MerkleTree();
  for await (const leaf of leaves) {
    while (inOrder[0] !== undefined && inOrder[0].range.to <= whole.size) inOrder.shift();
    const [part] = inOrder;
    if (part !== undefined && part.range.from <= whole.size) part.tree.push(leaf);
    whole.push(leaf);
  }
  return { hashes: parts.map(({ tree }) => tree.root()), size: whole.size, root: whole.root() };
}
