import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuditError } from "../audit-error.js";
import { leafHash, MerkleTree } from "./merkle-tree.js";
import { proveConsistency, proveInclusion } from "./prove.js";
import { sha256 } from "./sha256.js";
import { type TreeHead, verifyConsistency, verifyInclusion } from "./verify.js";
import vectors from "../../test/vectors/rfc6962.json" with { type: "json" };

const SIZES = 70;
const LEAVES = Array.from({ length: SIZES }, (_, index) => leafHash(Buffer.from(index.toString())));
const HEADS = Array.from({ length: SIZES + 1 }, (_, size) => headOf(LEAVES.slice(0, size)));
const VECTOR_LEAVES = vectors.entries.map((entry) => leafHash(Buffer.from(entry, "hex")));

function headOf(leaves: readonly Buffer[]): TreeHead {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.push(leaf);
  return { size: tree.size, root: tree.root() };
}

function head(size: number): TreeHead {
  const found = HEADS[size];
  if (found === undefined) throw new Error(`no tree of size ${size}`);
  return found;
}

function leafAt(index: number): Buffer {
  return LEAVES[index] ?? Buffer.alloc(0);
}

// eslint-disable-next-line @typescript-eslint/require-await -- leaves that are there need no waiting
async function* stream(leaves: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* leaves;
}

function holds(verify: () => void): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (error instanceof AuditError && error.code === "INTEGRITY_VIOLATION") return false;
    throw error;
  }
}

const hex = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString("hex"));
const size = fc.integer({ min: 1, max: SIZES });
/** Two numbers of which the second is the size of a tree and the first is not greater. */
const place = size.chain((whole) => fc.tuple(fc.integer({ min: 1, max: whole }), fc.constant(whole)));

describe("an inclusion proof", () => {
  it.each(vectors.inclusion)("of entry $index of $size is the reference's", async ({ index, size: whole, hashes }) => {
    const proof = await proveInclusion(stream(VECTOR_LEAVES.slice(0, whole)), index, whole);
    expect(hex(proof.hashes)).toEqual(hashes);
    expect(proof.root.toString("hex")).toBe(vectors.roots[whole]);
  });

  it("holds for every entry of every size", async () => {
    for (let whole = 1; whole <= SIZES; whole += 1) {
      for (let index = 0; index < whole; index += 1) {
        const proof = await proveInclusion(stream(LEAVES.slice(0, whole)), index, whole);
        expect({ size: proof.size, root: proof.root }).toEqual(head(whole));
        expect(holds(() => { verifyInclusion(leafAt(index), index, head(whole), proof.hashes); })).toBe(true);
      }
    }
  });

  it("holds for no other entry, index, size or root, nor with a hash changed, moved, left out or added", async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), fc.nat(SIZES - 1), async ([number, whole], at, other) => {
        const index = number - 1;
        const { hashes } = await proveInclusion(stream(LEAVES.slice(0, whole)), index, whole);
        const refused = (leaf: Buffer, position: number, tree: TreeHead, proof: readonly Buffer[]) => {
          expect(holds(() => { verifyInclusion(leaf, position, tree, proof); })).toBe(false);
        };
        if (other !== index) {
          refused(leafAt(other), index, head(whole), hashes);
          refused(leafAt(index), other, head(whole), hashes);
        }
        if (other + 1 !== whole) refused(leafAt(index), index, { size: whole, root: head(other + 1).root }, hashes);
        refused(leafAt(index), index - whole, head(whole), hashes);
        for (const wrong of damages(hashes, at)) refused(leafAt(index), index, head(whole), wrong);
      }),
      { numRuns: 300 },
    );
  });

  it("is not fooled by a node in place of an entry", async () => {
    const { hashes } = await proveInclusion(stream(LEAVES.slice(0, 4)), 0, 4);
    const node = headOf(LEAVES.slice(0, 2)).root;
    expect(holds(() => { verifyInclusion(node, 0, head(4), hashes.slice(1)); })).toBe(false);
  });
});

describe("a consistency proof", () => {
  it.each(vectors.consistency)("from $oldSize to $size is the reference's", async ({ oldSize, size: whole, hashes }) => {
    expect(hex((await proveConsistency(stream(VECTOR_LEAVES.slice(0, whole)), oldSize, whole)).hashes)).toEqual(hashes);
  });

  it("holds from every size to every later one", async () => {
    for (let whole = 1; whole <= SIZES; whole += 1) {
      for (let oldSize = 1; oldSize <= whole; oldSize += 1) {
        const proof = await proveConsistency(stream(LEAVES.slice(0, whole)), oldSize, whole);
        expect({ size: proof.size, root: proof.root }).toEqual(head(whole));
        expect(holds(() => { verifyConsistency(head(oldSize), head(whole), proof.hashes); })).toBe(true);
      }
    }
  });

  it("holds for no other root or size, nor with a hash changed, moved, left out or added", async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), async ([oldSize, whole], at) => {
        const { hashes } = await proveConsistency(stream(LEAVES.slice(0, whole)), oldSize, whole);
        const forged = sha256(Buffer.from("another history"));
        const refused = (old: TreeHead, tree: TreeHead, proof: readonly Buffer[]) => {
          expect(holds(() => { verifyConsistency(old, tree, proof); })).toBe(false);
        };
        refused({ size: oldSize, root: forged }, head(whole), hashes);
        refused(head(oldSize), { size: whole, root: forged }, hashes);
        refused({ size: 0, root: head(0).root }, head(whole), hashes);
        if (oldSize !== whole) refused(head(whole), head(oldSize), hashes);
        for (const wrong of damages(hashes, at)) refused(head(oldSize), head(whole), wrong);
      }),
      { numRuns: 300 },
    );
  });

  it("shows that an old entry was rewritten", async () => {
    const rewritten = LEAVES.map((leaf, index) => (index === 3 ? sha256(leaf) : leaf));
    const { hashes, size: whole, root } = await proveConsistency(stream(rewritten), 20, SIZES);
    expect(holds(() => { verifyConsistency(head(20), { size: whole, root }, hashes); })).toBe(false);
  });
});

/** The ways in which a list of hashes can be wrong, at a position or as a whole. */
function damages(hashes: readonly Buffer[], at: number): readonly (readonly Buffer[])[] {
  const longer = [[...hashes, sha256(Buffer.of())], [sha256(Buffer.of()), ...hashes]];
  const { length } = hashes;
  if (length === 0) return longer;
  const position = at % length;
  const changed = hashes.map((hash, index) => (index === position ? sha256(hash) : hash));
  const shorter = hashes.filter((_, index) => index !== position);
  return [...longer, changed, shorter, ...(length > 1 ? [hashes.toReversed()] : [])];
}
