import fc from "fast-check";
import { failCall, flipBit, simulatorStats } from "vram-simulator/control";
import { expect, it } from "vitest";
import type { Seal, SealedShard, VramError } from "../src/index.js";
import { bufferIdOf, openWorkplace, patternBytes } from "./fixture.js";
import type { Workplace } from "./fixture.js";

const RUNS = Number(process.env["VRAM_PROPERTY_RUNS"] ?? 1000);
const SEED = Number(process.env["VRAM_PROPERTY_SEED"] ?? 20_261_124);
const IDS = ["a", "b", "c"] as const;
/** What the simulated driver gives for any small model. */
const SHARD_BYTES = 2 ** 21;

type Id = (typeof IDS)[number];
interface Step { readonly do: "seal" | "verify" | "present" | "execute" | "release" | "tamper" | "forge" | "fail"; readonly id: Id }

const step = fc.record({
  do: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom("seal", "verify", "present", "execute", "release") },
    { weight: 1, arbitrary: fc.constantFrom("tamper", "forge", "fail") },
  ),
  id: fc.constantFrom(...IDS),
}) as fc.Arbitrary<Step>;
/** Steps of one batch begin at the same time. */
const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

/** What must hold of a worker, whatever is done to it: a much simpler thing than the worker. */
class Model {
  readonly live = new Map<Id, SealedShard>();
  readonly tampered = new Set<SealedShard>();
  stopped = false;
  /** A driver call was made to fail at some time: what meets it is not known. */
  failing = false;
  executed = 0;

  constructor(readonly place: Workplace) {}

  /** Begins a step; answers a promise of what it came to, checked against what it may come to. */
  async run({ do: action, id }: Step, batch: readonly Step[]): Promise<void> {
    const { residency } = this.place;
    const shard = this.live.get(id);
    const wasStopped = this.stopped;
    const others = batch.map((each) => each.do);
    const released = batch.some((each) => each.do === "release" && each.id === id);
    if (others.includes("fail")) this.failing = true;
    const { failing: mayFail } = this;
    // The seal of a shard that is being released may find it gone, which stops the worker.
    const isGoing = batch.some((each) => each.do === "present" && batch.some((other) => other.do === "release" && other.id === each.id));
    const endangered = wasStopped || mayFail || isGoing || others.includes("forge") || this.tampered.size > 0;
    const allow = (codes: readonly string[], error: unknown): void => {
      const { code } = error as VramError;
      expect(codes, `${action} ${code} of ${JSON.stringify(batch)}`).toContain(code);
      if (code === "SEAL_VERIFICATION_FAILED") this.stopped = true;
    };
    const stops = endangered ? ["STOPPED"] : [];
    switch (action) {
      case "seal": {
        const taken = shard !== undefined || batch.filter((each) => each.do === "seal" && each.id === id).length > 1 || released;
        const failing = mayFail ? ["CUDA_FAILED", "CUDA_ALLOCATION_FAILED"] : [];
        await residency.seal(patternBytes(100 + IDS.indexOf(id)), { shardId: id }).then(
          (sealed) => {
            expect(wasStopped).toBe(false);
            this.live.set(id, sealed);
          },
          (error: unknown) => { allow([...stops, ...failing, ...(taken ? ["INVALID_INPUT"] : [])], error); },
        );
        return;
      }
      case "verify":
      case "present":
      case "execute": {
        if (shard === undefined) return;
        const wasTampered = this.tampered.has(shard);
        const target: SealedShard | Seal = action === "present" ? shard.seal : shard;
        const before = this.executed;
        const running = action === "execute" ? residency.execute(target, () => (this.executed += 1)) : residency.verify(target);
        const gone = released ? ["NOT_SEALED", "SEAL_VERIFICATION_FAILED"] : [];
        const refused = wasTampered || mayFail ? ["SEAL_VERIFICATION_FAILED"] : [];
        await running.then(
          () => { expect(wasTampered || wasStopped).toBe(false); },
          (error: unknown) => {
            allow([...stops, ...gone, ...refused, ...(released ? ["STOPPED"] : [])], error);
            if (action === "execute" && others.filter((each) => each === "execute").length === 1) expect(this.executed).toBe(before);
          },
        );
        return;
      }
      case "release":
        this.live.delete(id);
        await shard?.close();
        return;
      case "forge": {
        const mac = Buffer.alloc(32, 1).toString("base64");
        const statement = shard?.seal.statement ?? Buffer.from("{}").toString("base64");
        await residency.verify({ statement, mac }).then(
          () => { throw new Error("a forged seal was accepted"); },
          (error: unknown) => { allow(["SEAL_VERIFICATION_FAILED", "STOPPED"], error); },
        );
        return;
      }
      case "fail":
        failCall({ entryPoint: "cuMemcpyDtoHAsync_v2", code: 1 });
        return;
      case "tamper":
        return;
    }
  }

  /** Between batches, when nothing runs. */
  check(): void {
    const { residency } = this.place;
    const { usedBytes, availableBytes, reservedBytes, totalBytes } = residency.capacity();
    expect(usedBytes + availableBytes + reservedBytes).toBe(totalBytes);
    const held = (simulatorStats().allocations.length - 1) * SHARD_BYTES;
    expect(usedBytes).toBe(held);
    if (residency.state === "ready") expect(this.stopped).toBe(false);
    else this.stopped = true;
    for (const shard of this.live.values()) expect(shard.sealed).toBe(true);
  }

  async end(): Promise<void> {
    const wasStopped = this.stopped;
    await this.place.residency.close();
    // A call that fails again and again keeps memory from being wiped, which then stays mapped.
    if (!this.failing) expect(simulatorStats()).toMatchObject({ allocations: [], reservations: 0, contexts: 0, streams: 0, modules: 0 });
    const events = await this.place.events();
    const idsOf = (type: string) => events.filter((event) => event.type === type).map(({ data }) => (data as { shardId: string }).shardId).sort();
    expect(idsOf("vram.shard.deallocated")).toEqual(expect.arrayContaining(idsOf("vram.shard.sealed")));
    const refusals = events.filter(({ severity, type }) => severity === "critical" && type === "vram.seal.verification_failed");
    if (refusals.length > 0) expect(wasStopped).toBe(true);
  }
}

it("vram_allocation_never_exceeds_capacity a worker does what a simple model of it says, whatever is done at once", { timeout: 600_000 }, async () => {
  process.stderr.write(`model-based: ${RUNS} runs, seed ${SEED}\n`);
  let model: Model | undefined;
  await fc.assert(
    fc.asyncProperty(batches, async (plan) => {
      model ??= new Model(await openWorkplace());
      try {
        for (const batch of plan) {
          for (const { do: action, id } of batch) {
            const shard = model.live.get(id);
            if (action !== "tamper" || shard === undefined) continue;
            flipBit({ bufferId: bufferIdOf(shard), byteOffset: 7 });
            if (!model.tampered.delete(shard)) model.tampered.add(shard);
          }
          const { current } = { current: model };
          await Promise.all(batch.map((each) => current.run(each, batch)));
          model.check();
        }
        if (!model.stopped && !model.failing && model.tampered.size === 0) return;
        await model.end();
        model = undefined;
      } catch (error) {
        await model?.place.residency.close();
        model = undefined;
        throw error;
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
  await model?.end();
});
