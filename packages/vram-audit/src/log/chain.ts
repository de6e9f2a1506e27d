import type { KeyObject } from "node:crypto";
import type { AuditError } from "../audit-error.js";
import { placeLine } from "../events/line.js";
import { type SignedCheckpoint, signCheckpoint } from "../note/checkpoint.js";
import type { VerifierKey } from "../note/verifier-key.js";
import type { AppendFile } from "../storage/append-file.js";
import type { Reserve } from "../storage/reserve.js";
import { leafHash, type MerkleTree } from "../tree/merkle-tree.js";
import { sha256Hex } from "../tree/sha256.js";
import type { AuditHead, Receipt } from "./audit-log.js";
import type { PreparedEvent } from "./event-desk.js";
import type { Segments } from "./segments.js";

/** The open files of a log. */
export interface LogFiles {
  readonly segments: Segments;
  readonly leaves: AppendFile;
  readonly checkpoints: AppendFile;
  readonly reserve: Reserve;
}

/** `reserve`: for lines that must not be lost, the reserve is given up if the disk is full. */
export type Room = "ordinary" | "reserve";

export interface ChainState {
  readonly files: LogFiles;
  readonly tree: MerkleTree;
  readonly lastHash: string;
  readonly checkpointSize: number;
  readonly origin: string;
  readonly privateKey: KeyObject;
  readonly key: VerifierKey;
}

/** Leaf hashes in one write, unless it is asked for before. */
const WAITING_LEAVES_MAX = 128;

/** Writes lines behind one another and checkpoints over them. One call at a time; after a failure, none. */
export class Chain {
  /** Told of every checkpoint once it is durable. */
  onCheckpoint: (checkpoint: SignedCheckpoint) => void = () => undefined;
  #lastHash: string;
  #checkpointSize: number;
  #waitingLeaves: Buffer[] = [];

  constructor(private readonly state: ChainState) {
    this.#lastHash = state.lastHash;
    this.#checkpointSize = state.checkpointSize;
  }

  /** The tree over the durable lines. */
  get tree(): MerkleTree {
    return this.state.tree;
  }

  /** Lines that no checkpoint vouches for yet. */
  get uncovered(): number {
    return this.state.tree.size - this.#checkpointSize;
  }

  head(): AuditHead {
    const { origin, tree } = this.state;
    return { origin, size: tree.size, root: tree.root().toString("base64") };
  }

  /** Why the reserve was given up; undefined while there is one. */
  get reserveSpentFor(): AuditError | undefined {
    return this.state.files.reserve.spentFor;
  }

  /**
   * Makes lines durable, all or none. Answers their receipts in the same order.
   * @throws AuditError with reason `full` when there is no room; while the reserve is held nothing has changed then
   */
  async commit(events: readonly PreparedEvent[], room: Room): Promise<readonly Receipt[]> {
    const { files, tree } = this.state;
    const placed: { line: Buffer; receipt: Receipt; onDurable: (receipt: Receipt) => void }[] = [];
    let hash = this.#lastHash;
    for (const { draft, onDurable } of events) {
      const sequence = tree.size + placed.length + 1;
      const line = placeLine(draft, sequence, hash);
      hash = sha256Hex(line);
      placed.push({ line, receipt: { sequence, hash }, onDurable });
    }
    const lines = placed.map(({ line }) => line);
    const durable = files.segments.append(lines, room === "reserve" ? files.reserve : undefined);
    // While the disk writes.
    const leaves = lines.map(leafHash);
    await durable;
    for (const leaf of leaves) tree.push(leaf);
    this.#lastHash = hash;
    this.#waitingLeaves.push(...leaves);
    if (this.#waitingLeaves.length >= WAITING_LEAVES_MAX) await this.writeLeaves();
    for (const { receipt, onDurable } of placed) onDurable(receipt);
    return placed.map(({ receipt }) => receipt);
  }

  /** Whether leaf hashes wait to be written. */
  get hasWaitingLeaves(): boolean {
    return this.#waitingLeaves.length > 0;
  }

  /** They are evidence for naming a line, not the record: written when there is time, durable with the system's own. */
  async writeLeaves(): Promise<void> {
    const { leaves, reserve } = this.state.files;
    await leaves.append(Buffer.concat(this.#waitingLeaves.splice(0)), reserve);
  }

  /** Signs what is durable, and makes the signature so. Nothing is written when nothing is new. */
  async checkpoint(): Promise<void> {
    const { files, tree, origin, privateKey, key } = this.state;
    if (this.uncovered === 0) return;
    await this.writeLeaves();
    const checkpoint = { origin, size: tree.size, root: tree.root() };
    const note = signCheckpoint(checkpoint, privateKey, key);
    await files.checkpoints.append(Buffer.from(note), files.reserve);
    await files.checkpoints.datasync();
    this.#checkpointSize = checkpoint.size;
    this.onCheckpoint({ ...checkpoint, note });
  }
}
