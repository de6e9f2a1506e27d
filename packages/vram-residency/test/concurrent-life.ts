import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openAuditLog, verifyAuditLog } from "vram-audit";
import { failCall, flipBit, hashNatively, simulatorStats } from "vram-simulator/control";
import { expect } from "vitest";
import type { VramError } from "../src/index.js";
import { BLOCK_BYTES, Truth, openFlips } from "./concurrent-truth.js";
import type { Flip, TrackedShard, TruthOptions } from "./concurrent-truth.js";
import { backend, bufferIdOf, openWorkplace, patternBytes, temporaryFolder, watchedLog } from "./fixture.js";
import type { Workplace } from "./fixture.js";

const SETTLES_MS = 20_000;
const SHARDS_MAX = 5;
const ENTRY_POINTS = ["cuMemcpyDtoHAsync_v2", "cuMemcpyHtoDAsync_v2", "cuLaunchKernel", "cuStreamSynchronize", "cuMemCreate", "cuMemSetAccess", "cuPointerGetAttribute"] as const;

export type Action = "seal" | "verify" | "range" | "tensor" | "execute" | "reseal" | "close" | "flip" | "spoil" | "fail";

/** One step of a plan. What the numbers choose depends on what there is at its time. */
export interface Step {
  readonly do: Action;
  readonly pick: number;
  readonly detail: number;
  /** Milliseconds after which the caller gives up; undefined: never. */
  readonly abortsAfterMs: number | undefined;
}

/** What an operation comes to; in time, or it hangs. */
async function settled<T>(what: string, operation: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const late = delay(SETTLES_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`${what} did not settle in ${SETTLES_MS} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([operation, late]);
  } finally {
    ended.abort();
  }
}

/** One worker from its opening to its close, with a scrub that runs all the time. */
export class Life {
  readonly truth: Truth;
  readonly #place: Workplace;
  readonly #folder: string;
  readonly #hasFaults: boolean;
  #sealed = 0;

  private constructor(place: Workplace, folder: string, truth: Truth, { hasFaults }: TruthOptions) {
    this.truth = truth;
    this.#place = place;
    this.#folder = folder;
    this.#hasFaults = hasFaults;
  }

  static async open(options: TruthOptions): Promise<Life> {
    const truth = new Truth(options);
    const folder = join(await temporaryFolder(), "audit");
    const place = await openWorkplace({
      policy: { ...backend.policy, allowRepair: options.allowRepair, afterRepair: "continue" },
      audit: watchedLog(await openAuditLog({ dir: folder }), (event) => { truth.see(event); }),
    });
    hashNatively(true);
    place.residency.startScrub({ periodMs: 20, rangeBytes: BLOCK_BYTES });
    return new Life(place, folder, truth, options);
  }

  get hasEnded(): boolean {
    return this.#place.residency.state !== "ready";
  }

  async take(step: Step): Promise<void> {
    if (step.do === "seal") return this.#seal(step);
    const shard = this.#pick(step.pick);
    if (shard === undefined) return;
    switch (step.do) {
      case "flip":
        this.#flip(shard, step.detail);
        return;
      case "fail":
        this.#fail(step.detail);
        return;
      case "spoil":
        return this.#spoil(shard);
      case "execute":
        return this.#execute(shard, step);
      case "close":
        shard.isClosing = true;
        return settled("close", shard.handle.close());
      case "verify":
      case "range":
      case "tensor":
      case "reseal":
        return this.#verify(step.do, shard, step);
    }
  }

  #live(): readonly TrackedShard[] {
    return [...this.truth.shards.values()].filter(({ isClosing }) => !isClosing);
  }

  #pick(pick: number): TrackedShard | undefined {
    const live = this.#live();
    return live[pick % live.length];
  }

  /** What an operation on these shards may end in, where it does not resolve. */
  #explain(step: Step, shards: readonly TrackedShard[], error: unknown): void {
    const { code } = error as VramError;
    const wasDamaged = shards.some(({ flips }) => flips.length > 0);
    const allowed = [
      ...(step.abortsAfterMs === undefined ? [] : ["ABORTED"]),
      ...(this.hasEnded ? ["STOPPED"] : []),
      ...(shards.some(({ isClosing }) => isClosing) ? ["NOT_SEALED"] : []),
      ...(wasDamaged || this.#hasFaults ? ["SEAL_VERIFICATION_FAILED"] : []),
      ...(this.#hasFaults ? ["CUDA_FAILED", "CUDA_ALLOCATION_FAILED", "DEVICE_LOST", "INTEGRITY_VIOLATION"] : []),
    ];
    if (!allowed.includes(code)) this.truth.tell(`${step.do} ended in ${code}: ${String(error)}`);
  }

  async #attempt(step: Step, shards: readonly TrackedShard[], operation: (signal: { signal?: AbortSignal }) => Promise<unknown>): Promise<void> {
    const { abortsAfterMs } = step;
    try {
      await settled(step.do, operation(abortsAfterMs === undefined ? {} : { signal: AbortSignal.timeout(abortsAfterMs) }));
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      this.#explain(step, shards, error);
    }
  }

  async #seal(step: Step): Promise<void> {
    if (this.#live().length >= SHARDS_MAX) return;
    this.#sealed += 1;
    const shardId = `shard-${this.#sealed}`;
    const bytes = patternBytes(2 * BLOCK_BYTES + (step.detail % (8 * BLOCK_BYTES)));
    const path = step.pick % 4 === 0 ? undefined : await this.#place.model(bytes);
    await this.#attempt(step, [], async (options) => {
      const handle = await this.#place.residency.seal(path ?? bytes, { shardId, ...options });
      this.truth.shards.set(shardId, { handle, path, flips: [], isSpoiled: false, isClosing: false, underRepair: undefined });
    });
  }

  async #verify(action: "verify" | "range" | "tensor" | "reseal", shard: TrackedShard, step: Step): Promise<void> {
    const { residency } = this.#place;
    const { handle } = shard;
    const range = { offset: step.detail % handle.vramBytes, byteLength: 1 };
    const rangeBlock = Math.floor(range.offset / BLOCK_BYTES);
    const before = openFlips(shard).filter(({ block }) => action !== "range" || block === rangeBlock);
    await this.#attempt(step, [shard], async (options) => {
      if (action === "reseal") await residency.reseal(handle, options);
      else if (action === "range") await residency.verify(handle, { range, ...options });
      else if (action === "tensor") await residency.verify(handle, { tensor: "", ...options });
      else await residency.verify(handle, options);
      // A part may be read between its repair and the event that tells of it.
      const inRepair = action === "range" || action === "tensor" ? shard.underRepair?.flips : undefined;
      this.#expectRepaired(before.filter((flip) => inRepair?.includes(flip) !== true), action);
    });
  }

  #expectRepaired(flips: readonly Flip[], occasion: string): void {
    if (flips.some(({ state }) => state === "open")) this.truth.tell(`damage was missed: ${occasion}`);
  }

  async #execute(first: TrackedShard, step: Step): Promise<void> {
    const more = [this.#pick(step.detail), this.#pick(step.detail >> 3)].slice(0, step.detail % 3).filter((each) => each !== undefined);
    const shards = [...new Set([first, ...more])];
    const verifyAfter = step.detail % 2 === 0;
    const before = shards.flatMap(openFlips);
    let during: Flip[] = [];
    await this.#attempt(step, shards, async (given) => {
      await this.#place.residency.execute(
        shards.map(({ handle }) => handle),
        async () => {
          this.#expectRepaired(before, "fn was called");
          await delay(step.pick % 4);
          if (shards.some(({ handle }) => simulatorStats().allocations.every(({ bufferId }) => bufferId !== bufferIdOf(handle)))) {
            this.truth.tell("a shard was released while fn ran");
          }
          during = shards.flatMap(openFlips);
        },
        { verifyAfter, ...given },
      );
      if (verifyAfter) this.#expectRepaired(during, "verifyAfter");
    });
  }

  /** Each block once until it is repaired: a second flip may undo the first, or be undone by the repair. */
  #flip(shard: TrackedShard, detail: number): void {
    const block = Math.floor((detail % shard.handle.vramBytes) / BLOCK_BYTES);
    if (this.hasEnded || shard.flips.some((flip) => flip.block === block && flip.state === "open")) return;
    flipBit({ bufferId: bufferIdOf(shard.handle), byteOffset: detail % shard.handle.vramBytes, bit: detail % 8 });
    shard.flips.push({ block, state: "open" });
  }

  #fail(detail: number): void {
    const entryPoint = ENTRY_POINTS[detail % ENTRY_POINTS.length];
    if (this.#hasFaults && entryPoint !== undefined) failCall({ entryPoint, code: detail % 5 === 0 ? 700 : 1, after: detail % 7 });
  }

  async #spoil(shard: TrackedShard): Promise<void> {
    if (shard.path === undefined) return;
    await writeFile(shard.path, Buffer.alloc(shard.handle.vramBytes, 0xa5));
    shard.isSpoiled = true;
  }

  /** The scrub finds what nobody else did; then everything is given back. */
  async end(): Promise<void> {
    const { residency } = this.#place;
    await settled("the scrub's finding", this.#allFound());
    if (this.truth.mustStop && !this.hasEnded) this.truth.tell("the worker goes on");
    if (this.hasEnded && !this.truth.mustStop && !this.#hasFaults) this.truth.tell("the worker stopped for no reason");
    await settled("the close of all shards", Promise.all([...this.truth.shards.values()].map(({ handle }) => handle.close())));
    const { usedBytes } = residency.capacity();
    await settled("the close of the residency", residency.close());
    if (this.truth.kept > 0 && !this.#hasFaults) this.truth.tell("memory was kept");
    if (this.truth.kept === 0) {
      expect(usedBytes).toBe(0);
      const { freed, ...held } = simulatorStats();
      expect(held).toMatchObject({ allocations: [], reservations: 0, contexts: 0, streams: 0, modules: 0, allocatedBytes: 0 });
      expect(freed.every(({ zeroed }) => zeroed)).toBe(true);
    }
    const { ok } = await verifyAuditLog({ dir: this.#folder });
    expect(ok).toBe(true);
    expect(this.truth.problems).toEqual([]);
  }

  async #allFound(): Promise<void> {
    const unfound = (): boolean => this.#live().some((shard) => openFlips(shard).length > 0);
    while (!this.hasEnded && unfound()) await delay(2);
  }
}
