import type { Checkpoint } from "../note/checkpoint.js";
import type { MerkleTree } from "../tree/merkle-tree.js";
import { HASH_BYTES } from "../tree/sha256.js";
import { readLeafBlocks } from "./read-leaves.js";
import type { ReadableFile } from "./read-lines.js";

/** What a crash of the machine leaves of a leaf that was never written. */
const UNWRITTEN = Buffer.alloc(HASH_BYTES);

type Blocks = AsyncGenerator<readonly Buffer[], undefined>;

/**
 * The stored leaf hashes, line by line. Those under the last checkpoint are signed; the later ones are the writer's
 * word only, good enough to tell which of two neighbours changed.
 */
export class LeafEvidence {
  readonly #blocks: Blocks;
  /** Leaves that were read, from the position of the next one to compare with. */
  #read: readonly Buffer[] = [];
  #position = 0;
  #compared: number;
  #ended = false;

  private constructor(blocks: Blocks, before: number) {
    this.#blocks = blocks;
    this.#compared = before;
  }

  /**
   * Evidence that is not judged: good enough to show that nothing is wrong.
   * @param before the tree over the lines that were removed
   */
  static unjudged(file: ReadableFile | undefined, before: MerkleTree): LeafEvidence {
    return new LeafEvidence(file === undefined ? noBlocks() : readLeafBlocks(file, before.size, Number.MAX_SAFE_INTEGER), before.size);
  }

  /**
   * Evidence that `checkpoint` signed; a file that it did not sign proves nothing and is taken as empty.
   * @param before the tree over the lines that were removed
   */
  static async signedBy(checkpoint: Checkpoint | undefined, file: ReadableFile | undefined, before: MerkleTree): Promise<LeafEvidence> {
    if (file === undefined || checkpoint === undefined) return LeafEvidence.unjudged(undefined, before);
    const tree = before.copy();
    for await (const block of readLeafBlocks(file, before.size, checkpoint.size)) for (const leaf of block) tree.push(leaf);
    const signed = tree.size === checkpoint.size && tree.root().equals(checkpoint.root);
    return LeafEvidence.unjudged(signed ? file : undefined, before);
  }

  /** For how many lines, the removed ones included, there was a leaf to compare with. */
  get compared(): number {
    return this.#compared;
  }

  /** Reads the leaves for so many lines, which are to be checked next. */
  async prepare(lines: number): Promise<void> {
    while (this.#read.length - this.#position < lines) {
      const { value: block } = await this.#blocks.next();
      if (block === undefined) return;
      this.#read = [...this.#read.slice(this.#position), ...block];
      this.#position = 0;
    }
  }

  /** Whether the next line is the one that was written, or undefined when nothing tells. */
  check(leaf: Buffer): boolean | undefined {
    if (this.#ended) return undefined;
    const stored = this.#read[this.#position];
    if (stored === undefined || stored.equals(UNWRITTEN)) {
      this.#ended = true;
      return undefined;
    }
    this.#position += 1;
    this.#compared += 1;
    return stored.equals(leaf);
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- an empty generator has nothing to wait for
async function* noBlocks(): Blocks {
  yield* [];
  return undefined;
}
