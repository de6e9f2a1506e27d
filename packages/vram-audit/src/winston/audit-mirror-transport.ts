import { Stream, type Writable } from "node:stream";
import type { Logform } from "winston";
import Transport from "winston-transport";
import { invalidInput } from "../audit-error.js";
import { auditFormat } from "./audit-format.js";

/** Events that the target holds or is writing; beyond it, events are dropped. */
const PENDING_MAX = 1024;

/** Where a format leaves the line. */
const LINE = Symbol.for("message");

/**
 * Hands audit events, and nothing else that is logged, to a stream as JSON lines or to another transport. Winston never
 * waits for the target: one that stalls, throws or fails costs no other transport an entry. The target stays its
 * maker's to end.
 */
export class AuditMirrorTransport extends Transport {
  readonly #target: Writable;
  readonly #chunkOf: (info: Logform.TransformableInfo) => unknown;
  #pending = 0;
  #dropped = 0;

  /** @throws AuditError `INVALID_INPUT` */
  constructor(target: Writable) {
    if (!isWritable(target)) throw invalidInput("target", "be a stream that can be written or a winston transport");
    super({ format: auditFormat() });
    this.#target = target;
    this.#chunkOf = "log" in target ? (info) => info : (info) => `${String(info[LINE])}\n`;
    // Without a listener a failing target ends the process.
    target.on("error", () => undefined);
    // A transport with a level of its own learns from its logger what the levels are.
    this.once("pipe", (logger) => target.emit("pipe", logger));
  }

  /** Events the target did not take. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Called by winston. */
  override log(info: Logform.TransformableInfo, next: () => void): void {
    this.#pass(info);
    next();
  }

  #pass(info: Logform.TransformableInfo): void {
    if (this.#pending >= PENDING_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#pending += 1;
    const settle = (error: unknown) => {
      this.#pending -= 1;
      if (error) this.#dropped += 1;
    };
    try {
      this.#target.write(this.#chunkOf(info), settle);
    } catch (error) {
      settle(error);
    }
  }
}

function isWritable(target: unknown): boolean {
  return target instanceof Stream && "writable" in target && target.writable === true;
}
