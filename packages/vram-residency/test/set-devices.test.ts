import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fsverityDigest, setDigest } from "vram-seal";
import { failCall, simulatorStats } from "vram-simulator/control";
import { expect } from "vitest";
import { deferred, eventTypes, eventsOfType, expectZeroed, flipSealedBit, itWithFaults, openWorkplace, patternBytes, refusal } from "./fixture.js";
import { f32, safetensors, writeShardedModel } from "./safetensors.js";

const MiB = 1 << 20;
const FILES = [{ a: f32(1) }, { b: f32(2) }, { c: f32(3) }, { d: f32(4) }];
const DIGESTS = FILES.map((tensors) => fsverityDigest(safetensors(tensors)));
const SET_DIGEST = setDigest(DIGESTS);
const TWO = { devices: [{ memoryBytes: 256 * MiB }, { memoryBytes: 256 * MiB }] };
const open = (devices = TWO) => openWorkplace({ device: [0, 1] }, devices);
const shardIdsOf = (events: readonly { readonly data: object }[]): unknown[] => events.map(({ data }) => (data as Record<string, unknown>)["shardId"]);

/** A sharded model of four files, sealed over two devices. */
async function openSet() {
  const place = await open();
  const index = await writeShardedModel(place.folder, FILES);
  return { place, index, set: await place.residency.sealSet(index, { setId: "m" }) };
}

itWithFaults("a set lies on all devices by turns, is verified and executed whole, and is wiped on each", async () => {
  const { place: { residency }, set } = await openSet();
  expect(set.shards.map((shard) => shard.toJSON())).toMatchObject([0, 1, 0, 1].map((gpuDevice, shardIndex) => ({ gpuDevice, shardIndex, totalShards: 4 })));
  expect(await residency.verify(set)).toMatchObject(set.shards.map(({ shardId, digest }) => ({ shardId, digest })));
  const names = await residency.execute(set, (lease) => [...lease.tensors.keys()]);
  expect(names).toEqual(["a", "b", "c", "d"]);
  await set.close();
  expect([residency.capacity(0).usedBytes, residency.capacity(1).usedBytes]).toEqual([0, 0]);
  expectZeroed();
});

itWithFaults("a set lies on the devices that are named: one for each file, or fewer by turns", async () => {
  const place = await open();
  const index = await writeShardedModel(place.folder, FILES);
  for (const [devices = [], expected] of [[[1], [1, 1, 1, 1]], [[1, 0], [1, 0, 1, 0]], [[0, 0, 1], [0, 0, 1, 0]], [[1, 1, 0, 0], [1, 1, 0, 0]]]) {
    const set = await place.residency.sealSet(index, { devices });
    expect(set.shards.map((shard) => shard.toJSON().gpuDevice)).toEqual(expected);
    await set.close();
  }
  for (const devices of [[], [2], [0, 2], [0, 0, 0, 0, 0], "0", [null]]) {
    expect(await refusal(place.residency.sealSet(index, { devices } as never))).toMatchObject({ code: "INVALID_INPUT" });
  }
  expect(place.residency.capacity().usedBytes).toBe(0);
});

/** A stream whose second half comes when `gate` resolves; `reached` is called where it waits. */
function halting(value: number, { gate, reached }: { readonly gate: Promise<void>; readonly reached: () => void }) {
  return {
    byteLength: 20_000,
    async *[Symbol.asyncIterator]() {
      yield Buffer.alloc(10_000, value);
      reached();
      await gate;
      yield Buffer.alloc(10_000, value);
    },
  };
}

itWithFaults("different devices load side by side, one device one file after another, and progress counts the whole set", async () => {
  const { residency } = await open();
  const gates = [deferred(), deferred()] as const;
  const order: number[] = [];
  const told = { load: [0], digest: [0] };
  const members = [0, 1, 2, 3].map((index) => {
    const reached = (): void => { order.push(index); gates[index % 2 === 0 ? 0 : 1].resolve(); };
    return halting(index, { gate: gates[index % 2 === 0 ? 1 : 0].promise, reached });
  });
  await residency.sealSet(members, { onProgress: ({ phase, doneBytes }) => void told[phase].push(doneBytes) });
  expect(order.slice(0, 2).sort()).toEqual([0, 1]);
  expect(order.filter((index) => index % 2 === 0)).toEqual([0, 2]);
  expect(order.filter((index) => index % 2 === 1)).toEqual([1, 3]);
  for (const counts of [told.load, told.digest]) {
    expect(counts).toEqual([...counts].sort((one, other) => one - other));
    expect(counts.at(-1)).toBe(80_000);
  }
});

itWithFaults("a failure on one device ends the loads on the others", async () => {
  const place = await open();
  const [reached, chunks] = [deferred(), 400];
  let given = 0;
  const slow = {
    byteLength: chunks * 5000,
    async *[Symbol.asyncIterator]() {
      for (; given < chunks; given += 1) {
        yield Buffer.alloc(5000);
        if (given === 4) reached.resolve();
        await setTimeout(5);
      }
    },
  };
  const broken = {
    byteLength: 20_000,
    async *[Symbol.asyncIterator]() {
      yield Buffer.alloc(10_000);
      await reached.promise;
    },
  };
  expect(await refusal(place.residency.sealSet([slow, broken]))).toMatchObject({ code: "INVALID_INPUT" });
  expect(given).toBeLessThan(chunks / 2);
  expect(place.residency.capacity().usedBytes).toBe(0);
});

itWithFaults.each(["verify", "execute"] as const)("%s of a set refuses it for one member whose memory changed, names it, and never calls fn", async (method) => {
  const { place, set } = await openSet();
  const [, , , last] = set.shards;
  if (last === undefined) throw new Error("four shards");
  await flipSealedBit(place.residency, last, 20);
  const call = method === "verify" ? place.residency.verify(set) : place.residency.execute(set, () => { throw new Error("called"); });
  expect(await refusal(call)).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { shardId: "m-3", reason: "digest" } });
  expect(shardIdsOf(await eventsOfType(place, "vram.seal.verification_failed"))).toEqual(["m-3"]);
  expect(place.residency.state).toBe("stopped");
  await set.close();
  expect(place.residency.capacity().usedBytes).toBe(0);
});

itWithFaults("members that fail on both devices at once are one refusal, and none stays held", async () => {
  const { place, set } = await openSet();
  const failures: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void failures.push(reason);
  process.on("unhandledRejection", onUnhandled);
  failCall({ entryPoint: "cuLaunchKernel", code: 1, sticky: true });
  expect(await refusal(place.residency.execute(set, () => undefined))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "driver" } });
  await new Promise(setImmediate);
  process.off("unhandledRejection", onUnhandled);
  expect(failures).toEqual([]);
  const refused = shardIdsOf(await eventsOfType(place, "vram.seal.verification_failed"));
  expect(refused.sort()).toEqual(["m-0", "m-1"]);
  await set.close();
});

itWithFaults("out of memory on the second device undoes both, before a byte is loaded", async () => {
  const place = await open({ devices: [{ memoryBytes: 256 * MiB }, { memoryBytes: 64 * MiB }] });
  const copies = simulatorStats().calls["cuMemcpyHtoDAsync_v2"];
  const members = [patternBytes(10), patternBytes(10), patternBytes(10), Buffer.alloc(48 * MiB)];
  expect(await refusal(place.residency.sealSet(members, { setId: "m" }))).toMatchObject({ code: "INSUFFICIENT_VRAM" });
  expect(simulatorStats().calls["cuMemcpyHtoDAsync_v2"]).toBe(copies);
  expect(shardIdsOf(await eventsOfType(place, "vram.allocation.failed"))).toEqual(["m-3"]);
  expect(shardIdsOf(await eventsOfType(place, "vram.shard.deallocated")).sort()).toEqual(["m-0", "m-1", "m-2"]);
  expect(place.residency.capacity().usedBytes).toBe(0);
  expect(place.residency.state).toBe("ready");
});

itWithFaults("a load that fails on one device undoes all on both and names the member", async () => {
  const place = await open();
  const index = await writeShardedModel(place.folder, FILES);
  const names = [1, 2, 3, 4].map((number) => `model-0000${number}-of-00004.safetensors`);
  const approved = Object.fromEntries(names.map((name, position) => [name, { fsverity: position === 1 ? "0".repeat(64) : DIGESTS[position] }]));
  expect(await refusal(place.residency.sealSet(index, { setId: "m", expect: approved }))).toMatchObject({
    code: "INTEGRITY_VIOLATION",
    details: { reason: "expect", actualDigest: DIGESTS[1] },
  });
  expect(shardIdsOf(await eventsOfType(place, "vram.seal.verification_failed"))).toEqual(["m-1"]);
  expect(shardIdsOf(await eventsOfType(place, "vram.shard.deallocated")).sort()).toEqual(["m-0", "m-1", "m-2", "m-3"]);
  expect(await eventsOfType(place, "vram.shard.sealed")).toEqual([]);
  expect(place.residency.capacity().usedBytes).toBe(0);
  expectZeroed();
});

itWithFaults.each<[string, (files: readonly string[], foreign: string) => readonly string[]]>([
  ["without a member", (files) => files.slice(0, 3)],
  ["with a foreign member", (files, foreign) => [...files.slice(0, 3), foreign]],
  ["with one member more", (files, foreign) => [...files, foreign]],
  ["in another order", (files) => [...files].reverse()],
])("a set %s has not the expected set digest: undone on all devices, audited, nothing signed", async (_, change) => {
  const place = await open();
  const files = await Promise.all(FILES.map((tensors) => place.model(safetensors(tensors))));
  const given = change(files, await place.model(safetensors({ e: f32(5) })));
  const refused = { reason: "expect", expectedDigest: SET_DIGEST };
  expect(await refusal(place.residency.sealSet(given, { expectSet: SET_DIGEST }))).toMatchObject({ code: "INTEGRITY_VIOLATION", details: refused });
  expect(await eventsOfType(place, "vram.seal.verification_failed")).toMatchObject([{ data: { shardId: null, ...refused } }]);
  expect(await eventsOfType(place, "vram.shard.sealed")).toEqual([]);
  expect(await eventsOfType(place, "vram.shard.deallocated")).toHaveLength(given.length);
  expect(place.residency.capacity().usedBytes).toBe(0);
  expect(place.residency.state).toBe("ready");
});

itWithFaults("a set tells its digest, and is sealed where that is expected", async () => {
  const { residency, folder } = await open();
  const index = await writeShardedModel(folder, FILES);
  const set = await residency.sealSet(index, { expectSet: SET_DIGEST });
  expect(set.digest).toBe(SET_DIGEST);
  expect(JSON.parse(JSON.stringify(set))).toMatchObject({ digest: SET_DIGEST, totalShards: 4 });
  expect(await refusal(residency.sealSet(index, { expectSet: SET_DIGEST.toUpperCase() }))).toMatchObject({ code: "INVALID_INPUT" });
});

itWithFaults("a file of the index that is missing is refused before memory is held", async () => {
  const place = await open();
  const index = await writeShardedModel(place.folder, FILES);
  await rm(join(dirname(index), "model-00002-of-00004.safetensors"));
  expect(await refusal(place.residency.sealSet(index))).toMatchObject({ code: "INVALID_INPUT" });
  expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.worker.started"]);
});

itWithFaults("an abort in the middle leaves nothing on any device", async () => {
  const place = await open();
  const controller = new AbortController();
  const sealing = place.residency.sealSet([0, 1, 2, 3].map((value) => Buffer.alloc(10_000, value)), {
    signal: controller.signal,
    onProgress: ({ phase, doneBytes }) => { if (phase === "digest" && doneBytes > 0) controller.abort(); },
  });
  expect(await refusal(sealing)).toMatchObject({ code: "ABORTED" });
  expect(place.residency.capacity().usedBytes).toBe(0);
  expect(place.residency.state).toBe("ready");
});
