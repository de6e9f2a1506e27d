import { fileUnavailable } from "../audit-error.js";
import { AppendFile } from "../storage/append-file.js";
import { segmentName } from "../storage/file-names.js";
import type { Reserve } from "../storage/reserve.js";
import { type ClosedSegment, type CurrentSegment, SegmentTally } from "../storage/segment-tally.js";
import type { MerkleTree } from "../tree/merkle-tree.js";
import type { LogDirectory, RawFile } from "./log-directory.js";

const NEWLINE = 0x0a;

/** The files that hold the lines: the last one is written, those before it only ever removed. */
export class Segments {
  #closed: readonly ClosedSegment[];
  #current: CurrentSegment;
  #raw: RawFile;
  #file: AppendFile;

  /** @param raw the file of `current` */
  constructor(
    private readonly directory: LogDirectory,
    closed: readonly ClosedSegment[],
    current: CurrentSegment,
    raw: RawFile,
  ) {
    this.#closed = closed;
    this.#current = current;
    this.#raw = raw;
    this.#file = new AppendFile(current.name, raw, current.tally.bytes);
  }

  /** Oldest first. */
  get closed(): readonly ClosedSegment[] {
    return this.#closed;
  }

  /** The last one's. */
  get name(): string {
    return this.#current.name;
  }

  get tally(): SegmentTally {
    return this.#current.tally;
  }

  /**
   * Makes lines durable, all or none.
   * @param reserve is given up if the disk is full
   */
  async append(lines: readonly Uint8Array[], reserve?: Reserve): Promise<void> {
    await this.#file.append(withNewlines(lines), reserve);
    await this.#file.datasync();
    for (const line of lines) this.tally.add(line);
  }

  /**
   * Goes on in a new file, whose name is durable before anything is in it.
   * @param tree over all lines so far
   */
  async begin(tree: MerkleTree, nowMs: number): Promise<void> {
    const first = tree.size + 1;
    const name = segmentName(first);
    try {
      const raw = await this.directory.createFile(name);
      await this.#raw.close();
      this.#raw = raw;
      await this.directory.sync();
    } catch (error) {
      throw fileUnavailable(name, "opened", error);
    }
    const facts = this.tally.facts();
    this.#closed = [...this.#closed, { name: this.#current.name, facts, root: tree.root().toString("hex"), closedAtMs: nowMs }];
    this.#current = { name, tally: new SegmentTally(first, nowMs) };
    this.#file = new AppendFile(name, this.#raw, 0);
  }

  /** Removes closed segments, the oldest ones in order: whatever ends this half-way, no gap is left. */
  async remove(oldest: readonly ClosedSegment[]): Promise<void> {
    for (const segment of oldest) {
      await removeDurably(this.directory, segment.name);
      this.#closed = this.#closed.filter((other) => other !== segment);
    }
  }

  /** Cuts what the last file holds beyond the tally. */
  truncateToEnd(): Promise<void> {
    return this.#file.truncateToEnd();
  }

  close(): Promise<void> {
    return this.#raw.close();
  }
}

function withNewlines(lines: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(lines.reduce((sum, { length }) => sum + length + 1, 0));
  let end = 0;
  for (const line of lines) {
    bytes.set(line, end);
    end += line.length;
    bytes[end++] = NEWLINE;
  }
  return bytes;
}

/** @throws AuditError `AUDIT_UNAVAILABLE` */
export async function removeDurably(directory: LogDirectory, name: string): Promise<void> {
  try {
    await directory.remove(name);
    await directory.sync();
  } catch (error) {
    throw fileUnavailable(name, "written", error);
  }
}
