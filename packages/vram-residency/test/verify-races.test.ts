import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openAuditLog } from "vram-audit";
import type { AuditEvent } from "vram-audit";
import { generate } from "vram-seal";
import { flipBit, simulatorStats } from "vram-simulator/control";
import { expect, it } from "vitest";
import type { SealedShard, VramError } from "../src/index.js";
import { backend, bufferIdOf, deferred, eventsOfType, expectNothingHeld, itWithFaults, openWorkplace, patternBytes, refusal, temporaryFolder, watchedKey, watchedLog } from "./fixture.js";

it("a verification after fn that waits for another keeps the shard until it has ended", async () => {
  let key: Promise<void> = Promise.resolve();
  const place = await openWorkplace({ sealKey: watchedKey(await generate(), () => key) });
  const shard = await place.residency.seal(patternBytes(9000));
  const [running, end, keyIsThere, leave] = [deferred(), deferred(), deferred(), new AbortController()];
  const fn = async (): Promise<string> => {
    running.resolve();
    await end.promise;
    return "done";
  };
  const execution = place.residency.execute(shard, fn, { verifyAfter: true });
  await running.promise;
  key = keyIsThere.promise;
  const verifying = place.residency.verify(shard, { signal: leave.signal });
  verifying.catch(() => undefined);
  end.resolve();
  await delay(50);
  const closing = shard.close();
  leave.abort();
  keyIsThere.resolve();

  await expect(verifying).rejects.toMatchObject({ code: "ABORTED" });
  await expect(execution).resolves.toBe("done");
  await closing;
  expect(place.residency.state).toBe("ready");
  await place.residency.close();
  expect(await eventsOfType(place, "vram.seal.verification_failed")).toEqual([]);
  expectNothingHeld();
});

itWithFaults("a seal that is presented while its shard is closed is verified before the memory goes, or unknown", async () => {
  for (let turns = 0; turns < 24; turns += 1) {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(4096));
    const verifying = residency.verify(shard.seal).then(() => "verified", (error: unknown) => (error as VramError).details["reason"]);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const closing = shard.close();
    expect(["verified", "unknown_shard"]).toContain(await verifying);
    await closing;
    await residency.close();
  }
});

itWithFaults("damage that comes while a range is verified again is located afterwards", async () => {
  const place = await openWorkplace();
  const shard = await place.residency.seal(patternBytes(3 * 4096));
  const range = { offset: 4096, byteLength: 1 };
  const launchesOf = async (operation: () => Promise<unknown>): Promise<number> => {
    const { cuLaunchKernel: before = 0 } = simulatorStats().calls;
    await operation();
    return (simulatorStats().calls["cuLaunchKernel"] ?? 0) - before;
  };
  const ofRange = await launchesOf(() => place.residency.verify(shard, { range }));
  const ofWhole = await launchesOf(() => place.residency.verify(shard));
  const bit = { bufferId: bufferIdOf(shard), byteOffset: 5000 };
  flipBit(bit);
  flipBit(bit, { entryPoint: "cuLaunchKernel", after: ofRange });
  flipBit(bit, { entryPoint: "cuLaunchKernel", after: ofRange + ofWhole });
  await place.residency.verify(shard, { range });

  const error = await refusal(place.residency.verify(shard));
  expect(error).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { damage: { blocks: [{ index: 1 }] } } });
});

itWithFaults("executions of the same shards in another order do not keep each other's shards from being repaired", async () => {
  const log = await openAuditLog({ dir: join(await temporaryFolder(), "audit") });
  const shards: SealedShard[] = [];
  const flipped = new Set<string>();
  const damageOnceVerified = ({ type, data }: AuditEvent): void => {
    const shard = type === "vram.shard.verified" ? shards.find(({ shardId }) => shardId === data.shardId) : undefined;
    if (shard === undefined || flipped.has(shard.shardId)) return;
    flipped.add(shard.shardId);
    flipBit({ bufferId: bufferIdOf(shard), byteOffset: 0 });
  };
  const place = await openWorkplace({
    policy: { ...backend.policy, allowRepair: true, afterRepair: "continue" },
    limits: { viewTimeoutMs: 500 },
    audit: watchedLog(log, damageOnceVerified),
  });
  const { residency } = place;
  const [a, b] = [await residency.seal(await place.model(patternBytes(9000))), await residency.seal(await place.model(patternBytes(9000)))];
  shards.push(a, b);
  const results = await Promise.allSettled([residency.execute([a, b], () => undefined), residency.execute([b, a], () => undefined)]);
  expect(flipped.size).toBe(2);

  for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ details: { repaired: true } });
  await Promise.allSettled(shards.map((shard) => residency.verify(shard)));
  await residency.execute(shards, () => undefined);
});

itWithFaults("damage that is found after the worker stopped is told and not repaired", async () => {
  let key: Promise<void> | undefined;
  const place = await openWorkplace({
    policy: { ...backend.policy, allowRepair: true, afterRepair: "continue" },
    sealKey: watchedKey(await generate(), () => key),
  });
  const gone = await place.model(patternBytes(9000));
  const [a, b] = [await place.residency.seal(gone), await place.residency.seal(await place.model(patternBytes(9000)))];
  await rm(gone);
  for (const shard of [a, b]) flipBit({ bufferId: bufferIdOf(shard), byteOffset: 0 });
  const keyIsThere = deferred();
  key = keyIsThere.promise;
  const late = refusal(place.residency.verify(b));
  await new Promise(setImmediate);
  key = undefined;
  await refusal(place.residency.verify(a));
  expect(place.residency.state).toBe("stopped");
  keyIsThere.resolve();

  expect(await late).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { damage: { blocks: [{ index: 0 }] } } });
  expect(await eventsOfType(place, "vram.seal.verification_failed")).toHaveLength(2);
  expect(await eventsOfType(place, "vram.shard.repaired")).toEqual([]);
});
