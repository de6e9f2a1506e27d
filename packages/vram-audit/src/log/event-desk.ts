import { invalidInput } from "../audit-error.js";
import { type DraftLine, draftLine, LINE_MAX_BYTES, type Moment } from "../events/line.js";
import type { LiveShards } from "../events/live-shards.js";
import type { KnownEvent } from "../events/schema.js";
import type { Mirror } from "../mirror/mirror.js";
import type { Receipt } from "./audit-log.js";

export interface PreparedEvent {
  readonly draft: DraftLine;
  readonly moment: Moment;
  /** To be told once the line is durable. */
  readonly onDurable: (receipt: Receipt) => void;
}

/** Every event of a log passes here: on its way to the chain, and once it is durable on to who follows it. */
export class EventDesk {
  readonly #openedAtMs = performance.now();

  constructor(
    private readonly origin: string,
    private readonly live: LiveShards,
    private readonly mirror: Mirror | undefined,
  ) {}

  /** Shards sealed and not deallocated, in the order they were sealed. */
  get liveShards(): readonly string[] {
    return this.live.ids;
  }

  get mirrorDropped(): number {
    return this.mirror?.dropped ?? 0;
  }

  /**
   * @param moment that of another event, before which this one is to be written
   * @throws AuditError `INVALID_INPUT` for an event too long for a line
   */
  prepare(event: KnownEvent, moment: Moment = this.#now()): PreparedEvent {
    const draft = draftLine(event, this.origin, moment);
    if (draft.byteLength > LINE_MAX_BYTES) throw invalidInput("event", `take at most ${LINE_MAX_BYTES} bytes as a line`);
    const onDurable = ({ sequence }: Receipt) => {
      this.live.follow(event);
      this.mirror?.push({ event, sequence, time: moment.time.toISOString() });
    };
    return { draft, moment, onDurable };
  }

  #now(): Moment {
    return { time: new Date(), elapsedMs: Math.trunc(performance.now() - this.#openedAtMs) };
  }
}
