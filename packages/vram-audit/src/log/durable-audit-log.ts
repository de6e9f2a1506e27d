import type { Anchor } from "../anchor/anchor.js";
import { AnchorKeeper, type AnchorState } from "../anchor/anchor-keeper.js";
import { type AuditError, unavailable } from "../audit-error.js";
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
  readonly anchors: readonly Anchor[];
  /** Gives up everything the log holds open; called once, last. */
  readonly release: () => Promise<void>;
}

export class DurableAuditLog implements AuditLog {
  readonly #committer: Committer;
  readonly #keepers: readonly AnchorKeeper[];
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;
  /** Of a required anchor. */
  #anchorFailure: AuditError | undefined;

  constructor(private readonly parts: DurableAuditLogParts) {
    this.#committer = new Committer(parts.chain, parts.interval, parts.rotation, (error) => {
      this.#abort.abort(error);
    });
    this.#keepers = parts.anchors.map((anchor) => new AnchorKeeper(anchor, (keeper) => { this.#tell(keeper); }));
    parts.chain.onCheckpoint = (checkpoint) => { for (const keeper of this.#keepers) keeper.offer(checkpoint); };
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

  get anchors(): readonly AnchorState[] {
    return this.#keepers.map(({ state }) => state);
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
      if (this.#committer.failure === undefined) await this.#end();
    } finally {
      await this.#committer.settle();
      await this.parts.release();
    }
  }

  async #end(): Promise<void> {
    await this.record([{ type: "vram.audit.closed", severity: "info", data: {} }]);
    await Promise.all(this.#keepers.map((keeper) => keeper.settle()));
    if (this.#anchorFailure !== undefined) throw this.#anchorFailure;
  }

  /** An anchor began to fail, or is back: the log says so, unless its last line is written. */
  #tell({ anchor, state }: AnchorKeeper): void {
    const { name, keptSize, lastFailure } = state;
    if (lastFailure !== null && anchor.required === true) {
      this.#anchorFailure = unavailable("anchor", `the required anchor "${name}" did not keep a checkpoint`, { anchor: name, code: lastFailure });
      this.#committer.fail(this.#anchorFailure);
    } else if (this.#closing === undefined) {
      const event: KnownEvent =
        lastFailure === null
          ? { type: "vram.audit.anchor_restored", severity: "info", data: { anchor: name, keptSize } }
          : { type: "vram.audit.anchor_failed", severity: "warning", data: { anchor: name, code: lastFailure, keptSize } };
      // A log that can no longer write has said so itself.
      this.#submit(event, "ordinary").catch(() => undefined);
    }
  }

  #submit(event: KnownEvent, urgency: "checkpoint" | "ordinary"): Promise<Receipt> {
    const { draft, moment, onDurable } = this.parts.desk.prepare(event);
    return this.#committer.submit({ draft, moment, onDurable, urgency });
  }
}
