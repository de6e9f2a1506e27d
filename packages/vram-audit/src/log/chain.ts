import type { KeyObject } from "node:crypto";
import { type DraftLine, placeLine } from "../events/line.js";
import { type SignedCheckpoint, signCheckpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import type { AppendFile } from "../storage/append-file.js";
import { leafHash, type MerkleTree } from "../tree/merkle-tree.js";
import { sha256 } from "../tree/sha256.js";
import type { AuditHead, Receipt } from "./audit-log.js";

const NEWLINE = Uint8Array.of(0x0a);

/** The open files of a log. */
export interface LogFiles {
  readonly log: AppendFile;
  readonly leaves: AppendFile;
  readonly checkpoints: AppendFile;
}

export interface ChainState {
  readonly files: LogFiles;
  readonly tree: MerkleTree;
  readonly lastHash: string;
  readonly checkpointSize: number;
  readonly origin: string;
  readonly privateKey: KeyObject;
  readonly key: VerifierKey;
}

/** Writes lines behind one another and checkpoints over them. One call at a time; after a failure, none. */
export class Chain {
  #lastHash: string;
  #checkpointSize: number;

  constructor(private readonly state: ChainState) {
    this.#lastHash = state.lastHash;
    this.#checkpointSize = state.checkpointSize;
  }

  /** Lines that no checkpoint vouches for yet. */
  get uncovered(): number {
    return this.state.tree.size - this.#checkpointSize;
  }

  head(): AuditHead {
    const { origin, tree } = this.state;
    return { origin, size: tree.size, root: tree.root().toString("base64") };
  }

  /** Makes lines durable, all or none. Answers their receipts in the same order. */
  async commit(drafts: readonly DraftLine[]): Promise<readonly Receipt[]> {
    const { files, tree } = this.state;
    const receipts: Receipt[] = [];
    const lines: Buffer[] = [];
    let hash = this.#lastHash;
    for (const draft of drafts) {
      const sequence = tree.size + receipts.length + 1;
      const line = placeLine(draft, sequence, hash);
      hash = sha256(line).toString("hex");
      receipts.push({ sequence, hash });
      lines.push(line);
    }
    await files.log.append(Buffer.concat(lines.flatMap((line) => [line, NEWLINE])));
    await files.log.datasync();
    const leaves = lines.map(leafHash);
    for (const leaf of leaves) tree.push(leaf);
    this.#lastHash = hash;
    // Evidence for naming a line, not the record: durable with the system's own time.
    await files.leaves.append(Buffer.concat(leaves));
    return receipts;
  }

  /** Signs what is durable, and makes the signature so. Undefined, and nothing is written, when nothing is new. */
  async checkpoint(): Promise<SignedCheckpoint | undefined> {
    const { files, tree, origin, privateKey, key } = this.state;
    if (this.uncovered === 0) return undefined;
    const checkpoint = { origin, size: tree.size, root: tree.root() };
    const note = signCheckpoint(checkpoint, privateKey, key);
    await files.checkpoints.append(Buffer.from(note));
    await files.checkpoints.datasync();
    this.#checkpointSize = checkpoint.size;
    return { ...checkpoint, note };
  }
}
