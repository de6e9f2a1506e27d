import type { KnownEvent } from "../events/schema.js";

/** What the log needs of a logger to copy events to it; winston's `Logger` has it. */
export interface MirrorLogger {
  /** Takes one event: its message, and what it holds as fields. */
  log(entry: { level: string; message: string; [field: string]: unknown }): unknown;
  /** Tells of the logger's own errors, which the log counts and does not throw. */
  on?(event: "error", listener: (error: unknown) => void): unknown;
  /** The logger's level names; winston's default ones are assumed without it. */
  readonly levels?: Readonly<Record<string, number>>;
  /** Entries that the logger holds because its transports do not take them. */
  readonly writableLength?: number;
}

export interface MirroredEvent {
  readonly event: KnownEvent;
  readonly sequence: number;
  /** As in the line. */
  readonly time: string;
}

type Severity = KnownEvent["severity"];

/** A logger whose transports lag by this many entries gets no more until they catch up. */
const BACKLOG_MAX = 1024;
const WAITING_MAX = 16_384;

const LEVELS: Readonly<Record<Severity, readonly [string, ...string[]]>> = {
  info: ["info"],
  warning: ["warn", "warning"],
  critical: ["error", "crit", "critical"],
};

// A transport may fail long after the log that fed it closed: the listener stays, one for each logger.
const guarded = new WeakSet<MirrorLogger>();

/** A copy of durable events for people to read; it is never the record and can neither delay nor fail the log. */
export class Mirror {
  #waiting: MirroredEvent[] = [];
  #dropped = 0;

  constructor(private readonly logger: MirrorLogger) {
    if (guarded.has(logger)) return;
    guarded.add(logger);
    // Without a listener a failing transport ends the process.
    logger.on?.("error", () => undefined);
  }

  /** Events the logger did not take. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Hands the event on in a later turn of the event loop: who waits for the log does not wait for the logger. */
  push(event: MirroredEvent): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length > 1) return;
    setImmediate(() => {
      this.#flush();
    });
  }

  #flush(): void {
    const events = this.#waiting;
    this.#waiting = [];
    for (const event of events) this.#deliver(event);
  }

  #deliver({ event, sequence, time }: MirroredEvent): void {
    const { type, severity, subject, correlationid, data } = event;
    try {
      if ((this.logger.writableLength ?? 0) >= BACKLOG_MAX) {
        this.#dropped += 1;
        return;
      }
      const answer = this.logger.log({ level: this.#levelFor(severity), message: type, audit: { sequence, time, severity, subject, correlationid, data } });
      if (answer instanceof Promise) {
        answer.catch(() => {
          this.#dropped += 1;
        });
      }
    } catch {
      this.#dropped += 1;
    }
  }

  #levelFor(severity: Severity): string {
    const [preferred, ...others] = LEVELS[severity];
    const { levels } = this.logger;
    if (levels === undefined || preferred in levels) return preferred;
    return others.find((level) => level in levels) ?? preferred;
  }
}
