import { hash } from "node:crypto";
import { assertBytes } from "../input.js";
import { invalidInput } from "../seal-error.js";
import { fsverityDescriptor } from "./fsverity-descriptor.js";

/** Data and tree block size in bytes. */
export const FSVERITY_BLOCK_BYTES = 4096;
const DIGEST_BYTES = 32;
const SALT_MAX_BYTES = 32;
/** The salt is zero-padded to the input block of SHA-256 and put before every block. */
const SALT_PREFIX_BYTES = 64;

/** How to make an fs-verity digest. */
export interface FsverityOptions {
  /** At most 32 bytes, put before every block. Sealing uses none. */
  readonly salt?: Uint8Array;
}

interface TreeLevel {
  readonly block: Buffer;
  filledBytes: number;
}

/**
 * Streaming fs-verity file digest: SHA-256, 4096-byte blocks (Linux `Documentation/filesystems/fsverity`).
 *
 * Holds one partial data block and one tree block a level, whatever the size of the data.
 */
export class FsverityHasher {
  readonly #salt: Buffer;
  readonly #salted: Buffer | undefined;
  readonly #levels: TreeLevel[] = [];
  readonly #partial = Buffer.alloc(FSVERITY_BLOCK_BYTES);
  #partialBytes = 0;
  #byteLength = 0;
  #digest: string | undefined;

  /** @throws SealError `INVALID_INPUT` for a salt that is not bytes or is too long */
  constructor(options: FsverityOptions = {}) {
    const { salt = new Uint8Array() } = options;
    assertBytes("salt", salt);
    if (salt.length > SALT_MAX_BYTES) throw invalidInput("salt", `have at most ${SALT_MAX_BYTES} bytes`);
    this.#salt = Buffer.from(salt);
    this.#salted = salt.length === 0 ? undefined : Buffer.alloc(SALT_PREFIX_BYTES + FSVERITY_BLOCK_BYTES);
    this.#salted?.set(salt);
  }

  /**
   * Takes the next bytes. The chunk may be re-used when the call returns.
   *
   * @throws SealError `INVALID_INPUT` for anything but bytes, past 2^53 - 1 bytes, and after `digest()`
   */
  update(chunk: Uint8Array): this {
    assertBytes("chunk", chunk);
    if (this.#digest !== undefined) throw invalidInput("update", "not be called after digest()");
    if (!Number.isSafeInteger(this.#byteLength + chunk.length)) throw invalidInput("chunk", "keep the total below 2^53 bytes");
    this.#byteLength += chunk.length;

    let offset = this.#fillPartial(chunk);
    for (; chunk.length - offset >= FSVERITY_BLOCK_BYTES; offset += FSVERITY_BLOCK_BYTES) {
      this.#appendLeaf(chunk.subarray(offset, offset + FSVERITY_BLOCK_BYTES));
    }
    if (offset < chunk.length) {
      this.#partial.set(chunk.subarray(offset));
      this.#partialBytes = chunk.length - offset;
    }
    return this;
  }

  /** The file digest, 64 lowercase hexadecimal characters. Ends the stream; asked again, the answer is the same. */
  digest(): string {
    this.#digest ??= hash("sha256", fsverityDescriptor(this.#byteLength, this.#root(), this.#salt), "hex");
    return this.#digest;
  }

  /** Completes a block begun by an earlier chunk; returns how many bytes of this one went there. */
  #fillPartial(chunk: Uint8Array): number {
    if (this.#partialBytes === 0) return 0;
    const taken = Math.min(FSVERITY_BLOCK_BYTES - this.#partialBytes, chunk.length);
    this.#partial.set(chunk.subarray(0, taken), this.#partialBytes);
    this.#partialBytes += taken;
    if (this.#partialBytes === FSVERITY_BLOCK_BYTES) {
      this.#appendLeaf(this.#partial);
      this.#partialBytes = 0;
    }
    return taken;
  }

  #appendLeaf(block: Uint8Array): void {
    let carried = this.#hashBlock(block);
    for (let height = 0; ; height++) {
      const level = this.#put(height, carried);
      if (level.filledBytes < FSVERITY_BLOCK_BYTES) return;
      carried = this.#hashBlock(level.block);
      level.filledBytes = 0;
    }
  }

  #put(height: number, digest: string): TreeLevel {
    const level = (this.#levels[height] ??= { block: Buffer.alloc(FSVERITY_BLOCK_BYTES), filledBytes: 0 });
    level.block.write(digest, level.filledBytes, "latin1");
    level.filledBytes += DIGEST_BYTES;
    return level;
  }

  #root(): Uint8Array {
    if (this.#byteLength === 0) return new Uint8Array(DIGEST_BYTES);
    if (this.#partialBytes > 0) {
      this.#appendLeaf(this.#partial.fill(0, this.#partialBytes));
      this.#partialBytes = 0;
    }
    this.#partial.fill(0);
    return this.#closeLevels();
  }

  /** Hashes what is left of each level into the next, until one digest is left. */
  #closeLevels(): Uint8Array {
    let root: Uint8Array = this.#partial.subarray(0, DIGEST_BYTES);
    // `#put` may add a level while this runs. A level is emptied only into the next, so the last one holds a digest.
    for (const [height, level] of this.#levels.entries()) {
      root = level.block.subarray(0, DIGEST_BYTES);
      if (height === this.#levels.length - 1 && level.filledBytes === DIGEST_BYTES) break;
      if (level.filledBytes > 0) this.#put(height + 1, this.#hashBlock(level.block.fill(0, level.filledBytes)));
    }
    return root;
  }

  /** SHA-256 of a block with its salt, one character a byte: quicker than a buffer for each. */
  #hashBlock(block: Uint8Array): string {
    if (this.#salted === undefined) return hash("sha256", block, "binary");
    this.#salted.set(block, SALT_PREFIX_BYTES);
    return hash("sha256", this.#salted, "binary");
  }
}

/**
 * The fs-verity digest of bytes in memory, 64 lowercase hexadecimal characters.
 *
 * @throws SealError `INVALID_INPUT`
 */
export function fsverityDigest(data: Uint8Array, options: FsverityOptions = {}): string {
  assertBytes("data", data);
  return new FsverityHasher(options).update(data).digest();
}
