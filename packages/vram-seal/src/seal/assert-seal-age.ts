import { invalidInput } from "../seal-error.js";
import { refused } from "./seal-refusal.js";
import type { SealStatement } from "./seal-statement.js";

/** How far ahead of the clock a sealing time may lie: a clock that was set back must not make a seal young for good. */
const CLOCK_TOLERANCE_MS = 5_000;

/** How old a seal may be, in milliseconds. */
export interface SealAgeOptions {
  readonly maxAgeMs: number;
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Refuses a verified statement older than `maxAgeMs`, or sealed more than five seconds after `nowMs`.
 *
 * @throws SealError `SEAL_VERIFICATION_FAILED` with `details.reason` "age"; `INVALID_INPUT`
 */
export function assertSealAge(statement: Pick<SealStatement, "sealedAt">, options: SealAgeOptions): void {
  const { maxAgeMs, nowMs } = options;
  if (!Number.isFinite(maxAgeMs) || maxAgeMs < 0) throw invalidInput("maxAgeMs", "be a number of milliseconds, 0 or more");
  if (!Number.isFinite(nowMs)) throw invalidInput("nowMs", "be a time in milliseconds");
  const ageMs = nowMs - Date.parse(statement.sealedAt);
  if (Number.isNaN(ageMs)) throw invalidInput("sealedAt", "be a time");
  if (ageMs > maxAgeMs) throw refused("age", "the seal is older than allowed");
  if (ageMs < -CLOCK_TOLERANCE_MS) throw refused("age", "the seal is dated in the future");
}
