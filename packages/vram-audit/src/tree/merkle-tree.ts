import { HASH_BYTES, sha256 } from "./sha256.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const EMPTY = new Uint8Array();

// What is hashed is put together in place: two hashes are made for every line.
const leafInput = Buffer.alloc(16_384);
leafInput.set(LEAF);
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES);
nodeInput.set(NODE);

/** RFC 6962 section 2.1: the hash of one entry. */
export function leafHash(entry: Uint8Array): Buffer {
  if (entry.length >= leafInput.length) return sha256(Buffer.concat([LEAF, entry]));
  leafInput.set(entry, 1);
  return sha256(leafInput.subarray(0, 1 + entry.length));
}

/** RFC 6962 section 2.1: the hash of two subtrees side by side. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** RFC 6962 section 2.1: how many of `size` entries, at least two, are in the left subtree: the largest power of two below it. */
export function leftSize(size: number): number {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}

/** The RFC 6962 tree of a growing list: only the roots of its full subtrees are kept, largest first. */
export class MerkleTree {
  readonly #subtrees: Buffer[];
  #size: number;

  /** @param subtrees the roots of the full subtrees over the first `size` entries, largest first */
  constructor(size = 0, subtrees: readonly Buffer[] = []) {
    this.#size = size;
    this.#subtrees = [...subtrees];
  }

  get size(): number {
    return this.#size;
  }

  get subtrees(): readonly Buffer[] {
    return this.#subtrees;
  }

  copy(): MerkleTree {
    return new MerkleTree(this.#size, this.#subtrees);
  }

  push(leaf: Buffer): void {
    let node = leaf;
    // Each low one bit of the size is a full subtree as large as the node so far.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#subtrees.pop();
      if (left !== undefined) node = nodeHash(left, node);
    }
    this.#subtrees.push(node);
    this.#size += 1;
  }

  root(): Buffer {
    const smallestFirst = this.#subtrees.toReversed();
    return smallestFirst.reduce<Buffer | undefined>((right, left) => (right === undefined ? left : nodeHash(left, right)), undefined) ?? sha256(EMPTY);
  }
}
