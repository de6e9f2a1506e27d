import { rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fsverityDigest } from "vram-seal";
import { failCall, simulatorStats } from "vram-simulator/control";
import { tamper } from "vram-simulator/tamper";
import { describe, expect, it, vi } from "vitest";
import type { SealStatement } from "../src/index.js";
import { eventTypes, expectZeroed, itWithFaults, onGpu, openWorkplace, patternBytes, refusal, warningsWhile } from "./fixture.js";
import type { Workplace } from "./fixture.js";
import { f32, safetensors, writeShardedModel } from "./safetensors.js";

const FILES = [{ a: f32(1, 2) }, { b: f32(3) }, { c: f32(4, 5, 6), d: f32() }, { e: f32(7) }];
const SEALED = "vram.shard.sealed";
const DEALLOCATED = "vram.shard.deallocated";

function statementOf({ seal }: { readonly seal: { readonly statement: string } }): SealStatement {
  return JSON.parse(Buffer.from(seal.statement, "base64").toString()) as SealStatement;
}

/** Nothing of the set stays, and the worker goes on. */
async function expectNothingLeft(place: Workplace, events: string[]) {
  expect(place.residency.state).toBe("ready");
  expect(place.residency.capacity().usedBytes).toBe(0);
  expect(await eventTypes(place)).toEqual(["vram.worker.started", ...events]);
  if (events.includes(DEALLOCATED)) expectZeroed();
  // The ids are free again.
  const set = await place.residency.sealSet(await writeShardedModel(place.folder, FILES), { setId: "m" });
  await set.close();
}

describe("sealSet", () => {
  it("WORKER-4110 seals the files of an index together, and says so in each statement", async () => {
    const place = await openWorkplace();
    const index = await writeShardedModel(place.folder, FILES);
    const set = await place.residency.sealSet(index, { setId: "m", modelRef: "hf:org/model@rev" });
    expect(set.shards.map(({ shardId }) => shardId)).toEqual(["m-0", "m-1", "m-2", "m-3"]);
    expect(set.sealed).toBe(true);
    for (const [shardIndex, shard] of set.shards.entries()) {
      expect(statementOf(shard)).toMatchObject({ setId: "m", shardIndex, totalShards: 4, modelRef: "hf:org/model@rev" });
      expect(shard.digest).toBe(fsverityDigest(safetensors(FILES[shardIndex] ?? {})));
    }
    expect(set.toJSON()).toMatchObject({ setId: "m", totalShards: 4, shards: [{ shardIndex: 0 }, {}, {}, { shardIndex: 3, totalShards: 4 }] });
    const tensors = await place.residency.execute(set, (lease) => [...lease.tensors.values()].map(({ name, shape }) => [name, shape]));
    expect(tensors).toEqual([["a", [2]], ["b", [1]], ["c", [3]], ["d", [0]], ["e", [1]]]);
    await set.close();
    await set.close();
    expect(set.sealed).toBe(false);
    expect(await refusal(place.residency.execute(set, () => 1))).toMatchObject({ code: "NOT_SEALED" });
    expect(await eventTypes(place)).toEqual(["vram.worker.started", ...Array<string>(4).fill(SEALED), ...Array<string>(4).fill("vram.shard.verified"), ...Array<string>(4).fill(DEALLOCATED)]);
  });

  it("CI-007 execute verifies every member: a bit of the last one refuses the set", async () => {
    const place = await openWorkplace();
    const set = await place.residency.sealSet(await writeShardedModel(place.folder, FILES));
    await place.residency.execute(set, (lease) => {
      const tensor = lease.tensors.get("e");
      if (tensor === undefined) throw new Error("the index names it");
      tamper(lease.view(tensor), { byteOffset: 3, bit: 7 });
    });
    const fn = vi.fn();
    expect(await refusal(place.residency.execute(set, fn))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED" });
    expect(fn).not.toHaveBeenCalled();
  });

  it("takes a list of sources of any kind; opaque ones have one tensor each", async () => {
    const place = await openWorkplace();
    const path = await place.model(patternBytes(100));
    const set = await place.residency.sealSet([path, patternBytes(10), safetensors({ w: f32(1) })]);
    expect(set.setId).toMatch(/^set-[0-9a-f]{16}$/);
    const sizes = await place.residency.execute(set, (lease) => lease.shards.map(({ tensors }) => [...tensors.values()].map(({ byteLength }) => byteLength)));
    expect(sizes).toEqual([[100], [10], [4]]);
  });

  it("many sources of one call do not pile up listeners of its signal", async () => {
    const place = await openWorkplace();
    const warnings = await warningsWhile(() => place.residency.sealSet(Array.from({ length: 20 }, () => patternBytes(10))));
    expect(warnings).toEqual([]);
  });

  it("follows a file name that is a symbolic link, as in a cache of blobs; the digest decides", async () => {
    const place = await openWorkplace();
    const index = await writeShardedModel(place.folder, FILES);
    const file = join(place.folder, "model-00002-of-00004.safetensors");
    await rename(file, join(place.folder, "blob"));
    await symlink("blob", file);
    expect((await place.residency.sealSet(index)).shards).toHaveLength(4);
  });

  it("compares each file with its expected digest, and wants one for each or for none", async () => {
    const place = await openWorkplace();
    const index = await writeShardedModel(place.folder, FILES);
    const names = [1, 2, 3, 4].map((number) => `model-0000${number}-of-00004.safetensors`);
    const expectations = FILES.map((tensors) => ({ fsverity: fsverityDigest(safetensors(tensors)) }));
    const good = Object.fromEntries(names.map((name, position) => [name, expectations[position] ?? {}]));
    const set = await place.residency.sealSet(index, { setId: "good", expect: good });
    expect(set.shards.map((shard) => statementOf(shard).expected)).toEqual(expectations);
    await set.close();
    for (const wrong of [{ [names[0] ?? ""]: expectations[0] ?? {} }, { ...good, other: expectations[0] ?? {} }, { __proto__: good }]) {
      expect(await refusal(place.residency.sealSet(index, { expect: wrong }))).toMatchObject({ code: "INVALID_INPUT" });
    }
    const swapped = { ...good, [names[3] ?? ""]: expectations[0] ?? {} };
    expect(await refusal(place.residency.sealSet(index, { expect: swapped }))).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "expect" } });
    expect(place.residency.state).toBe("ready");
    expect(place.residency.capacity().usedBytes).toBe(0);
  });
});

describe("sealSet seals all or nothing", () => {
  it.each<[string, (index: { weight_map: Record<string, string> }) => unknown]>([
    ["a tensor that no file has", ({ weight_map }) => ({ weight_map: { ...weight_map, z: "model-00001-of-00004.safetensors" } })],
    ["a tensor in another file", ({ weight_map }) => ({ weight_map: { ...weight_map, a: "model-00002-of-00004.safetensors" } })],
    ["not all tensors of a file", ({ weight_map }) => ({ weight_map: Object.fromEntries(Object.entries(weight_map).filter(([name]) => name !== "d")) })],
    ["a file that is not there", ({ weight_map }) => ({ weight_map: { ...weight_map, z: "missing.safetensors" } })],
    ["a file elsewhere", ({ weight_map }) => ({ weight_map: { ...weight_map, a: "../model-00001-of-00004.safetensors" } })],
    ["no files", () => ({ weight_map: {} })],
    ["no map", () => ({})],
  ])("INVALID_INPUT for an index with %s, before any memory is held", async (_, change) => {
    const place = await openWorkplace();
    const creations = () => (onGpu ? undefined : simulatorStats().calls["cuMemCreate"]);
    const before = creations();
    expect(await refusal(place.residency.sealSet(await writeShardedModel(place.folder, FILES, change)))).toMatchObject({ code: "INVALID_INPUT" });
    expect(creations()).toBe(before);
    await expectNothingLeft(place, []);
  });

  it.each<[string, (place: Workplace) => Promise<unknown>]>([
    ["an empty list", () => Promise.resolve([])],
    ["a number", () => Promise.resolve(5)],
    ["files that share a tensor name", () => Promise.resolve([safetensors({ w: f32(1) }), safetensors({ w: f32(2) })])],
    ["a list with a missing file", (place) => Promise.resolve([patternBytes(10), join(place.folder, "missing")])],
    ["a damaged member", async (place) => {
      const index = await writeShardedModel(place.folder, FILES);
      await writeFile(join(dirname(index), "model-00004-of-00004.safetensors"), safetensors(FILES[3] ?? {}).subarray(0, -1));
      return index;
    }],
  ])("INVALID_INPUT for %s", async (_, make) => {
    const place = await openWorkplace();
    expect(await refusal(place.residency.sealSet((await make(place)) as never))).toMatchObject({ code: "INVALID_INPUT" });
    await expectNothingLeft(place, []);
  });

  itWithFaults("a driver error at the last member undoes all, each with its event", async () => {
    const place = await openWorkplace();
    failCall({ entryPoint: "cuMemSetAccess", code: 1, after: 7 });
    expect(await refusal(place.residency.sealSet(await writeShardedModel(place.folder, FILES)))).toMatchObject({ code: "CUDA_FAILED" });
    await expectNothingLeft(place, ["vram.allocation.failed", ...Array<string>(4).fill(DEALLOCATED)]);
  });

  itWithFaults("VP-004 RP-001 a set of which one member does not fit is refused before a byte is loaded", async () => {
    const place = await openWorkplace({}, { devices: [{ memoryBytes: 64 << 20 }] });
    const copies = simulatorStats().calls["cuMemcpyHtoDAsync_v2"];
    const members = Array.from({ length: 40 }, () => patternBytes(10));
    expect(await refusal(place.residency.sealSet(members))).toMatchObject({ code: "INSUFFICIENT_VRAM", kind: "retriable" });
    expect(place.residency.capacity().usedBytes).toBe(0);
    expect(simulatorStats().allocations).toHaveLength(1);
    expect(simulatorStats().calls["cuMemcpyHtoDAsync_v2"]).toBe(copies);
  });

  it("an abort in the middle leaves nothing", async () => {
    const place = await openWorkplace();
    const controller = new AbortController();
    const sealing = place.residency.sealSet(await writeShardedModel(place.folder, FILES), {
      signal: controller.signal,
      onProgress: ({ doneBytes, totalBytes }) => {
        if (doneBytes > totalBytes / 2) controller.abort();
      },
    });
    expect(await refusal(sealing)).toMatchObject({ code: "ABORTED" });
    await expectNothingLeft(place, Array<string>(4).fill(DEALLOCATED));
  });
});
