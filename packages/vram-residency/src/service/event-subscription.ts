import type { EventRing } from "./event-ring.js";

/** An event for who watches the service. `data` is JSON; of `audit`, the line of the log as it stands there, `id` its number. */
export interface FeedEvent {
  readonly event: "audit" | "gap" | "state" | "trouble";
  readonly id?: number;
  readonly data: string;
}

export interface SubscriptionParts {
  readonly ring: EventRing;
  /** The number of the first line to give. */
  readonly next: number;
  /** What is to be told before any line. */
  readonly notices: readonly FeedEvent[];
  /** Called when there is something to take again. */
  readonly onReady: () => void;
}

/** One reader of the feed, at its own pace: nothing is kept for it but its place in the ring and the newest notice of each kind. */
export class EventSubscription {
  readonly #parts: SubscriptionParts;
  readonly #notices: Map<FeedEvent["event"], FeedEvent>;
  #next: number;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#next = parts.next;
    this.#notices = new Map(parts.notices.map((notice) => [notice.event, notice]));
  }

  tell(notice: FeedEvent): void {
    this.#notices.set(notice.event, notice);
    this.wake();
  }

  wake(): void {
    this.#parts.onReady();
  }

  /** The next event; undefined when there is none yet. A reader that fell behind the ring is told of the gap first. */
  take(): FeedEvent | undefined {
    return this.#takeNotice() ?? this.#takeGap() ?? this.#takeLine();
  }

  #takeNotice(): FeedEvent | undefined {
    const [notice] = this.#notices.values();
    if (notice !== undefined) this.#notices.delete(notice.event);
    return notice;
  }

  #takeGap(): FeedEvent | undefined {
    const { first } = this.#parts.ring;
    if (this.#next >= first) return undefined;
    const gap = gapEvent(this.#next, first - 1);
    this.#next = first;
    return gap;
  }

  #takeLine(): FeedEvent | undefined {
    const numbered = this.#parts.ring.at(this.#next);
    if (numbered === undefined) return undefined;
    this.#next += 1;
    return { event: "audit", id: numbered.sequence, data: numbered.line };
  }
}

/** Lines that the reader will not be given. */
export function gapEvent(from: number, to: number): FeedEvent {
  return { event: "gap", data: JSON.stringify({ from, to }) };
}
