import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leafHash, MerkleTree } from "./merkle-tree.js";
import { sha256 } from "./sha256.js";
import vectors from "../../test/vectors/rfc6962.json" with { type: "json" };

describe("the RFC 6962 tree", () => {
  it.each(vectors.roots.map((root, size) => ({ root, size })))("has the reference root at size $size", ({ root, size }) => {
    const tree = new MerkleTree();
    for (const entry of vectors.entries.slice(0, size)) tree.push(leafHash(Buffer.from(entry, "hex")));
    expect(tree.size).toBe(size);
    expect(tree.root().toString("hex")).toBe(root);
  });

  it("equals the recursive definition for every list", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 70 }), (entries) => {
        const tree = new MerkleTree();
        for (const entry of entries) tree.push(leafHash(entry));
        expect(tree.root()).toEqual(recursiveRoot(entries));
      }),
    );
  });

  it.each([0, 1, 16_382, 16_383, 16_384, 100_000])("hashes an entry of %d bytes", (length) => {
    const entry = Buffer.alloc(length, 7);
    expect(leafHash(entry)).toEqual(createHash("sha256").update(Uint8Array.of(0)).update(entry).digest());
  });
});

/** RFC 6962 section 2.1 as it is written. */
function recursiveRoot(entries: readonly Uint8Array[]): Buffer {
  const [first] = entries;
  if (first === undefined) return sha256(Buffer.of());
  if (entries.length === 1) return sha256(Buffer.concat([Uint8Array.of(0), first]));
  let split = 1;
  while (split * 2 < entries.length) split *= 2;
  return sha256(Buffer.concat([Uint8Array.of(1), recursiveRoot(entries.slice(0, split)), recursiveRoot(entries.slice(split))]));
}
