import { AuditError } from "vram-audit";
import type { AuditEntry, SealVerificationFailed } from "vram-audit";
import { EventRing, RING_LINES_MAX } from "./event-ring.js";
import { EventSubscription, gapEvent } from "./event-subscription.js";
import type { FeedEvent } from "./event-subscription.js";
import { followLog } from "./follow-log.js";
import type { DamageEntry } from "./service-state.js";

/** What a reader without a place of its own is given first. */
const LINES_AT_FIRST = 100;
const DAMAGE_MAX = 16;

export interface EventFeedOptions {
  /** The folder of the audit log. */
  readonly dir: string;
  /** How many lines the log had when the service began: the newest of them are shown, failures in later ones are its damage. */
  readonly linesBefore: number;
}

export interface SubscribeOptions {
  /** The last line that the reader has. */
  readonly after?: number | undefined;
  /** Called when there is something to take again. */
  readonly onReady: () => void;
}

/** Follows the audit log for all who watch the service. A log that cannot be read is announced as `trouble`, until it can. */
export class EventFeed {
  readonly #linesBefore: number;
  readonly #ring = new EventRing();
  readonly #subscriptions = new Set<EventSubscription>();
  readonly #abort = new AbortController();
  readonly #following: Promise<void>;
  #damage: readonly DamageEntry[] = [];
  #state: FeedEvent | undefined;
  #trouble: FeedEvent | undefined;

  constructor({ dir, linesBefore }: EventFeedOptions) {
    this.#linesBefore = linesBefore;
    this.#following = followLog(
      dir,
      {
        from: () => Math.max(1, this.#ring.newest, linesBefore - RING_LINES_MAX + 1),
        onEntry: (entry) => { this.#add(entry); },
        onTrouble: (error) => { this.#tell((this.#trouble = troubleEvent(error))); },
        onSteady: () => { this.#endTrouble(); },
      },
      this.#abort.signal,
    );
  }

  /** The newest verification failures since the service began, newest first, at most 16. */
  get damage(): readonly DamageEntry[] {
    return this.#damage;
  }

  /** The lines behind `after`, or the newest 100, then every later one. A reader that has lines which are not in the log is told so and begins anew. */
  subscribe({ after, onReady }: SubscribeOptions): EventSubscription {
    const newest = Math.max(this.#ring.newest, this.#linesBefore);
    const ahead = after !== undefined && after > newest ? [gapEvent(newest + 1, after)] : [];
    const subscription = new EventSubscription({
      ring: this.#ring,
      next: after === undefined || ahead.length > 0 ? Math.max(newest - LINES_AT_FIRST + 1, this.#ring.first) : after + 1,
      notices: [...ahead, this.#state, this.#trouble].filter((notice) => notice !== undefined),
      onReady,
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  unsubscribe(subscription: EventSubscription): void {
    this.#subscriptions.delete(subscription);
  }

  /** Tells every reader, and those who come later, how the service stands. */
  announce(state: string): void {
    this.#state = { event: "state", data: JSON.stringify({ state }) };
    this.#tell(this.#state);
  }

  /** Ends following; idempotent. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#following;
  }

  #add({ line, envelope, event }: AuditEntry): void {
    const sequence = Number(envelope.sequence);
    if (sequence <= this.#ring.newest) return;
    this.#ring.push({ sequence, line });
    if (sequence > this.#linesBefore && event?.type === "vram.seal.verification_failed") {
      this.#damage = [damageEntry(sequence, envelope.time, event), ...this.#damage].slice(0, DAMAGE_MAX);
    }
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  #endTrouble(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#tell({ event: "trouble", data: "null" });
  }

  #tell(notice: FeedEvent): void {
    for (const subscription of this.#subscriptions) subscription.tell(notice);
  }
}

function damageEntry(sequence: number, time: string, { data: { shardId, reason, damage } }: SealVerificationFailed): DamageEntry {
  return { time, sequence, shardId, reason, blockCount: damage?.blockCount ?? null, blocks: damage?.blocks ?? [] };
}

/** An AuditError names no path; of anything else nothing is told. */
function troubleEvent(error: unknown): FeedEvent {
  const message = error instanceof AuditError ? error.message : "the audit log cannot be followed";
  return { event: "trouble", data: JSON.stringify({ code: "AUDIT_UNAVAILABLE", message }) };
}
