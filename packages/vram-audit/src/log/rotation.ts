import { LIVE_SHARDS_MAX } from "../events/fields.js";
import type { Moment } from "../events/line.js";
import type { AuditRetired, AuditRotated, KnownEvent } from "../events/schema.js";
import type { VerifierKey } from "../note/verifier-key.js";
import type { ClosedSegment } from "../storage/segment-tally.js";
import type { Chain } from "./chain.js";
import { chunksOf } from "./chunks.js";
import type { EventDesk } from "./event-desk.js";
import { type RetentionLimits, segmentsBeyond } from "./retention.js";
import type { Segments } from "./segments.js";

/** When the log goes on in a new segment; both are looked at before lines are written. */
export interface RotationLimits {
  readonly bytes: number;
  /** Since the segment's first line. */
  readonly milliseconds: number;
}

export interface RotationParts {
  readonly chain: Chain;
  readonly segments: Segments;
  readonly desk: EventDesk;
  readonly key: VerifierKey;
  readonly rotate: RotationLimits;
  readonly retain: RetentionLimits;
}

/** Goes on in a new segment when the last one is full, and removes old ones by record. */
export class Rotation {
  /** What opens a session stands where the last one ended. */
  readonly #sizeAtOpen: number;

  constructor(private readonly parts: RotationParts) {
    this.#sizeAtOpen = parts.chain.tree.size;
  }

  /**
   * To be called between commits. Nothing is removed before its record is durable under a checkpoint.
   * @param moment of the event that is written next: what a rotation writes before it must not be later
   */
  async rotateIfDue(moment: Moment): Promise<void> {
    const { chain, segments, retain } = this.parts;
    const nowMs = moment.time.getTime();
    if (!this.#isDue(nowMs)) return;
    await segments.begin(chain.tree, nowMs);
    await this.#commit(this.#rotatedEvents(), moment);
    const retired = segmentsBeyond(retain, segments.closed, segments.tally.bytes, nowMs);
    await this.#commit(retiredEvents(retired), moment);
    await chain.checkpoint();
    await segments.remove(retired);
  }

  #isDue(nowMs: number): boolean {
    const { chain, segments, rotate } = this.parts;
    const { bytes, begunAtMs } = segments.tally;
    return chain.tree.size > this.#sizeAtOpen && (bytes >= rotate.bytes || nowMs - begunAtMs >= rotate.milliseconds);
  }

  async #commit(events: readonly KnownEvent[], moment: Moment): Promise<void> {
    const { chain, desk } = this.parts;
    if (events.length > 0) await chain.commit(events.map((event) => desk.prepare(event, moment)), "reserve");
  }

  /** One, or several if there are more live shards than one can name. */
  #rotatedEvents(): readonly AuditRotated[] {
    const { chain, segments, desk, key } = this.parts;
    const closed = segments.closed.at(-1);
    if (closed === undefined) return [];
    const subtrees = chain.tree.subtrees.map((root) => root.toString("hex"));
    return chunksOf(desk.liveShards, LIVE_SHARDS_MAX).map((liveShards) => ({
      type: "vram.audit.rotated",
      severity: "info",
      data: { publicKey: key.bytes.toString("base64"), origin: key.name, closed: closed.facts, subtrees, liveShards },
    }));
  }
}

function retiredEvents(segments: readonly ClosedSegment[]): readonly AuditRetired[] {
  const last = segments.at(-1);
  if (last === undefined) return [];
  const data = { segments: segments.map(({ facts }) => facts), root: last.root };
  return [{ type: "vram.audit.retired", severity: "info", data }];
}
