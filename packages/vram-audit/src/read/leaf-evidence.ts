import type { Checkpoint } from "../note/checkpoint.js";
import type { MerkleTree } from "../tree/merkle-tree.js";
import { HASH_BYTES } from "../tree/sha256.js";
import { readLeaves } from "./read-leaves.js";
import type { ReadableFile } from "./read-lines.js";

/** What a crash of the machine leaves of a leaf that was never written. */
const UNWRITTEN = Buffer.alloc(HASH_BYTES);

/**
 * The stored leaf hashes, line by line. Those under the last checkpoint are signed; the later ones are the writer's
 * word only, good enough to tell which of two neighbours changed.
 */
export class LeafEvidence {
  readonly #leaves: AsyncGenerator<Buffer, undefined>;
  #compared: number;
  #ended = false;

  private constructor(leaves: AsyncGenerator<Buffer, undefined>, before: number) {
    this.#leaves = leaves;
    this.#compared = before;
  }

  /**
   * Evidence that `checkpoint` signed; a file that it did not sign proves nothing and is taken as empty.
   * @param before the tree over the lines that were removed
   */
  static async open(file: ReadableFile | undefined, checkpoint: Checkpoint | undefined, before: MerkleTree): Promise<LeafEvidence> {
    if (file === undefined || checkpoint === undefined) return new LeafEvidence(noLeaves(), before.size);
    const tree = before.copy();
    for await (const leaf of readLeaves(file, before.size, checkpoint.size)) tree.push(leaf);
    const signed = tree.size === checkpoint.size && tree.root().equals(checkpoint.root);
    return new LeafEvidence(signed ? readLeaves(file, before.size, Number.MAX_SAFE_INTEGER) : noLeaves(), before.size);
  }

  /** For how many lines, the removed ones included, there was a leaf to compare with. */
  get compared(): number {
    return this.#compared;
  }

  /** Whether the next line is the one that was written, or undefined when nothing tells. */
  async check(leaf: Buffer): Promise<boolean | undefined> {
    if (this.#ended) return undefined;
    const { value: stored } = await this.#leaves.next();
    if (stored === undefined || stored.equals(UNWRITTEN)) {
      this.#ended = true;
      return undefined;
    }
    this.#compared += 1;
    return stored.equals(leaf);
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- an empty generator has nothing to wait for
async function* noLeaves(): AsyncGenerator<Buffer, undefined> {
  yield* [];
  return undefined;
}
