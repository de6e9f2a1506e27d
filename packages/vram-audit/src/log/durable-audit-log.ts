import { unavailable } from "../audit-error.js";
import { parseEvent } from "../events/parse-event.js";
import type { AuditEvent, KnownEvent } from "../events/schema.js";
import type { AuditHead, AuditLog, AuditLogState, Receipt } from "./audit-log.js";
import type { Chain } from "./chain.js";
import { type CheckpointInterval, Committer } from "./committer.js";
import type { EventDesk } from "./event-desk.js";
import type { Rotation } from "./rotation.js";

export interface DurableAuditLogParts {
  readonly chain: Chain;
  readonly rotation: Rotation;
  readonly desk: EventDesk;
  readonly verifierKey: string;
  readonly interval: CheckpointInterval;
  /** Gives up everything the log holds open; called once, last. */
  readonly release: () => Promise<void>;
}

export class DurableAuditLog implements AuditLog {
  readonly #committer: Committer;
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(private readonly parts: DurableAuditLogParts) {
    this.#committer = new Committer(parts.chain, parts.interval, parts.rotation, (error) => {
      this.#abort.abort(error);
    });
  }

  get state(): AuditLogState {
    if (this.#committer.failure !== undefined) return "failed";
    return this.#closing === undefined ? "open" : "closed";
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get verifierKey(): string {
    return this.parts.verifierKey;
  }

  get mirrorDropped(): number {
    return this.parts.desk.mirrorDropped;
  }

  async append(event: AuditEvent): Promise<Receipt> {
    const parsed = parseEvent(event);
    if (this.#closing !== undefined) throw unavailable("closed", "the audit log is closed");
    return this.#submit(parsed, parsed.severity === "critical" ? "checkpoint" : "ordinary");
  }

  /** The log's own events; all of them together are durable under a checkpoint when it resolves. */
  async record(events: readonly KnownEvent[]): Promise<void> {
    await Promise.all(events.map((event) => this.#submit(event, "checkpoint")));
  }

  head(): AuditHead {
    return this.parts.chain.head();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      if (this.#committer.failure === undefined) await this.record([{ type: "vram.audit.closed", severity: "info", data: {} }]);
    } finally {
      await this.#committer.settle();
      await this.parts.release();
    }
  }

  #submit(event: KnownEvent, urgency: "checkpoint" | "ordinary"): Promise<Receipt> {
    return this.#committer.submit({ ...this.parts.desk.prepare(event), urgency });
  }
}
