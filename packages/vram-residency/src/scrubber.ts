import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { correlated, newCorrelationId } from "./correlation.js";
import { shardScrubbed } from "./events.js";
import type { ByteRange } from "./lease.js";
import type { ParsedScrubOptions } from "./options/call-options.js";
import type { LiveShard } from "./registry.js";
import { verifyPlacement } from "./read-device.js";
import { stopIfUnforeseen } from "./stop-if-unforeseen.js";
import { tracedOn } from "./telemetry/publish.js";
import { verifyShardRange } from "./verify-range.js";
import type { Worker } from "./worker.js";

/** How long a scrub waits where nothing is resident. */
const IDLE_MS = 1000;
/** A timer takes no more. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
/** Steps come up to this part of their spacing earlier or later, so that nobody knows when a range is read. */
const JITTER = 0.25;

/** How far the scrub of one shard has come. Byte counts in bytes. */
export interface ScrubProgress {
  readonly shardId: string;
  /** Verified in this pass. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Whole passes since the scrub began, and when the last one ended, UTC, RFC 3339. */
  readonly passes: number;
  readonly lastPassAt: string | null;
}

/** One range on its way through a pass. */
interface Step {
  readonly state: ShardScrub;
  readonly range: ByteRange;
}

interface ShardScrub {
  readonly shard: LiveShard;
  readonly ranges: number;
  /** Ranges of this pass that are not verified yet. */
  openRanges: number;
  doneBytes: number;
  passStartMs: number;
  passStartedAt: string;
  placementMs: number;
  passes: number;
  lastPassAt: string | null;
}

/** Verifies all shards range by range in the background, over and over, within a budget. Made by `residency.startScrub`. */
export class Scrubber {
  readonly #worker: Worker;
  readonly #options: ParsedScrubOptions;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #states = new Map<LiveShard, ShardScrub>();
  /** When the next step is due, by `performance.now()`, and how much later it is taken. */
  #dueMs = performance.now();
  #jitterMs = 0;
  #isOnTime = true;
  /** @internal Resolves when the scrub has ended; never rejects. */
  readonly ended: Promise<void>;

  /** @internal */
  constructor(worker: Worker, options: ParsedScrubOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#signal = AbortSignal.any([this.#abort.signal, worker.lifecycle.signal]);
    this.ended = correlated(newCorrelationId(), () => this.#run());
  }

  get progress(): readonly ScrubProgress[] {
    return [...this.#states.values()].map(({ shard, doneBytes, passes, lastPassAt }) => ({
      ...{ shardId: shard.shardId, doneBytes, totalBytes: shard.statement.vramBytes, passes, lastPassAt },
    }));
  }

  /** Whether the last pass took no longer than the period. It may not where the budget is too small for what is resident. */
  get isOnTime(): boolean {
    return this.#isOnTime;
  }

  /** Ends the scrub, and waits for the range that is being verified. Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    while (!this.#signal.aborted) {
      const startMs = performance.now();
      const steps = this.#steps(startMs);
      for (const step of shuffled(steps)) await this.#step(step);
      if (steps.length === 0) await this.#pauseUntil(startMs + IDLE_MS);
      else this.#isOnTime = performance.now() - startMs <= this.#options.periodMs;
    }
    for (const state of this.#states.values()) if (state.shard.scrub === state) state.shard.scrub = undefined;
  }

  /** The ranges of every shard that is live now. */
  #steps(nowMs: number): Step[] {
    const live = new Set(this.#worker.registry.all());
    const passStartedAt = new Date().toISOString();
    for (const shard of this.#states.keys()) if (!live.has(shard)) this.#states.delete(shard);
    return [...live].flatMap((shard) => {
      const ranges = rangesOf(shard, this.#options.rangeBytes);
      const before = this.#states.get(shard) ?? { placementMs: nowMs, passes: 0, lastPassAt: null };
      const state: ShardScrub = { ...before, shard, ranges: ranges.length, openRanges: ranges.length, doneBytes: 0, passStartMs: nowMs, passStartedAt };
      this.#states.set(shard, state);
      shard.scrub = state;
      return ranges.map((range) => ({ state, range }));
    });
  }

  async #step(step: Step): Promise<void> {
    await this.#pauseUntil(this.#dueMs + this.#jitterMs);
    await this.#untilOthersAreDone();
    if (this.#signal.aborted) return;
    const startMs = performance.now();
    await this.#attempt(step.state, () => this.#verify(step));
    const spacingMs = this.#spacingMs(step, performance.now() - startMs);
    // What was missed is not made up for beyond one step.
    this.#dueMs = Math.max(this.#dueMs, startMs - spacingMs) + spacingMs;
    this.#jitterMs = (spacingMs * JITTER * randomInt(-1000, 1001)) / 1000;
  }

  /** From the start of a step to that of the next: what the period allows, and no less than the budget demands. */
  #spacingMs({ range }: Step, tookMs: number): number {
    const { periodMs, bytesPerSecond, shareOfTime } = this.#options;
    const residentBytes = [...this.#states.values()].reduce((sum, { shard }) => sum + shard.statement.vramBytes, 0);
    return Math.max(
      periodMs * (range.byteLength / residentBytes),
      bytesPerSecond === undefined ? 0 : (range.byteLength / bytesPerSecond) * 1000,
      shareOfTime === undefined ? 0 : tookMs / shareOfTime,
    );
  }

  async #verify({ state, range }: Step): Promise<void> {
    const { shard } = state;
    await tracedOn(shard, "scrub", () => verifyShardRange(this.#worker, shard, range, this.#signal), range.byteLength);
    state.placementMs = performance.now();
    state.doneBytes += range.byteLength;
    state.openRanges -= 1;
    if (state.openRanges > 0) return;
    state.passes += 1;
    state.lastPassAt = new Date().toISOString();
    if (shard.verifiedAt < state.passStartedAt) shard.verifiedAt = state.passStartedAt;
    await this.#worker.record(shardScrubbed(shard.statement, { ranges: state.ranges, durationMs: performance.now() - state.passStartMs }));
  }

  /** Looks where shards lie that no range was read of for long. */
  async #checkPlacements(): Promise<void> {
    for (const state of this.#states.values()) {
      if (performance.now() - state.placementMs < this.#options.placementIntervalMs) continue;
      await this.#attempt(state, () => verifyPlacement(this.#worker, state.shard));
      state.placementMs = performance.now();
    }
  }

  /** A finding has stopped the worker; a key that is not there now is asked again with the next range. */
  async #attempt({ shard }: ShardScrub, verification: () => Promise<void>): Promise<void> {
    if (this.#worker.registry.find(shard.shardId) !== shard) return;
    const unpin = shard.pins.take();
    try {
      await stopIfUnforeseen(this.#worker, verification);
    } catch {
      // Told by the trail and by the worker's signal.
    } finally {
      unpin();
    }
  }

  async #untilOthersAreDone(): Promise<void> {
    const { pauseDuring } = this.#options;
    const { sealing, executing } = this.#worker;
    if (pauseDuring.includes("seal")) await this.#orAborted(sealing.idle());
    if (pauseDuring.includes("execute")) await this.#orAborted(executing.idle());
  }

  async #orAborted(wait: Promise<void>): Promise<void> {
    const ended = new AbortController();
    const aborted = delay(LONGEST_WAIT_MS, undefined, { signal: AbortSignal.any([this.#signal, ended.signal]), ref: false }).catch(() => undefined);
    await Promise.race([wait, aborted]);
    ended.abort();
  }

  async #pauseUntil(wakeMs: number): Promise<void> {
    for (;;) {
      await this.#checkPlacements();
      const leftMs = wakeMs - performance.now();
      if (leftMs <= 0 || this.#signal.aborted) return;
      const waitMs = Math.min(leftMs, this.#options.placementIntervalMs, LONGEST_WAIT_MS);
      await delay(waitMs, undefined, { signal: this.#signal, ref: false }).catch(() => undefined);
    }
  }
}

function rangesOf({ statement: { vramBytes } }: LiveShard, rangeBytes: number): readonly ByteRange[] {
  const count = Math.ceil(vramBytes / rangeBytes);
  return Array.from({ length: count }, (_, index) => {
    const offset = index * rangeBytes;
    return { offset, byteLength: Math.min(rangeBytes, vramBytes - offset) };
  });
}

function shuffled<T>(given: readonly T[]): readonly T[] {
  const list = [...given];
  for (let end = list.length - 1; end > 0; end -= 1) {
    const at = randomInt(end + 1);
    const [a, b] = [list[at], list[end]];
    if (a !== undefined && b !== undefined) [list[at], list[end]] = [b, a];
  }
  return list;
}
