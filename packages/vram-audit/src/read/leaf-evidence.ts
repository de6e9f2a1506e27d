import type { Checkpoint } from "../note/checkpoint.js";
import { MerkleTree } from "../tree/merkle-tree.js";
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
  #compared = 0;
  #ended = false;

  private constructor(
    leaves: AsyncGenerator<Buffer, undefined>,
    /** How many of the leaf hashes, from the first on, the trusted checkpoint vouches for. */
    readonly trusted: number,
  ) {
    this.#leaves = leaves;
  }

  /**
   * Evidence that `checkpoint` signed; a file that it did not sign proves nothing and is taken as empty.
   * @param trusted an older checkpoint, or the same
   */
  static async open(file: ReadableFile | undefined, checkpoint: Checkpoint | undefined, trusted: Checkpoint | undefined): Promise<LeafEvidence> {
    if (file === undefined || checkpoint === undefined) return new LeafEvidence(noLeaves(), 0);
    const tree = new MerkleTree();
    let vouched = 0;
    for await (const leaf of readLeaves(file, checkpoint.size)) {
      tree.push(leaf);
      if (tree.size === trusted?.size && tree.root().equals(trusted.root)) vouched = tree.size;
    }
    const signed = tree.size === checkpoint.size && tree.root().equals(checkpoint.root);
    return signed ? new LeafEvidence(readLeaves(file, Number.MAX_SAFE_INTEGER), vouched) : new LeafEvidence(noLeaves(), 0);
  }

  /** For how many lines, from the first on, there was a leaf hash. */
  get compared(): number {
    return this.#compared;
  }

  /** Whether the next line is the one that was written, or undefined when nothing tells. */
  async check(leaf: Buffer): Promise<boolean | undefined> {
    return (await this.next())?.equals(leaf);
  }

  /** The leaf hash of the next line, or undefined when none is stored. */
  async next(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined;
    const { value: stored } = await this.#leaves.next();
    if (stored === undefined || stored.equals(UNWRITTEN)) {
      this.#ended = true;
      return undefined;
    }
    this.#compared += 1;
    return stored;
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- an empty generator has nothing to wait for
async function* noLeaves(): AsyncGenerator<Buffer, undefined> {
  yield* [];
  return undefined;
}
