import type { AnchorState } from "../anchor/anchor-keeper.js";
import type { AuditEvent } from "../events/schema.js";

/** Proof for the caller that an event is in the log. */
export interface Receipt {
  /** The line's number, from 1. */
  readonly sequence: number;
  /** SHA-256 of the line, 64 lowercase hexadecimal characters; the next line carries it. */
  readonly hash: string;
}

/** What a checkpoint would vouch for now. */
export interface AuditHead {
  readonly origin: string;
  /** Durable lines. */
  readonly size: number;
  /** Their RFC 6962 root, base64. */
  readonly root: string;
}

/** `failed` is for good. Nothing is written any more, but for critical events on a full disk. */
export type AuditLogState = "open" | "failed" | "closed";

/** The one writer of a log. */
export interface AuditLog {
  readonly state: AuditLogState;
  /** Fires with the AuditError when the log fails. */
  readonly signal: AbortSignal;
  /** The log's C2SP verifier key, for an anchor elsewhere. */
  readonly verifierKey: string;
  /** Events the mirror's logger did not take; 0 without a mirror. */
  readonly mirrorDropped: number;
  /** How the anchors stand, in the order they were given. */
  readonly anchors: readonly AnchorState[];

  /**
   * Adds an event; resolves when it is durable and, for a critical one, when a signed checkpoint over it is too. Critical
   * events are written on a full disk nevertheless, as far as the reserve goes; every other one is refused from then on.
   * @throws AuditError `INVALID_INPUT` for an event outside the vocabulary, which leaves the log as it was;
   * `AUDIT_UNAVAILABLE` when it could not be written, the log is closed, or too many events wait
   */
  append(event: AuditEvent): Promise<Receipt>;

  /** The durable lines so far. */
  head(): AuditHead;

  /**
   * Writes what waits, the closing event and a checkpoint, waits within their time limits for the anchors, and lets the next writer in. Idempotent.
   * @throws AuditError `AUDIT_UNAVAILABLE` when the closing record could not be written or a required anchor did not keep the
   * checkpoint over it; the log is closed nevertheless.
   * A log that failed before is closed without a word: its signal has told.
   */
  close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}
