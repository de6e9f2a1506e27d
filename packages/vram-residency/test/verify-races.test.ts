import { setTimeout as delay } from "node:timers/promises";
import { generate } from "vram-seal";
import { flipBit, simulatorStats } from "vram-simulator/control";
import { expect, it } from "vitest";
import { bufferIdOf, deferred, eventsOfType, expectNothingHeld, itWithFaults, openWorkplace, patternBytes, refusal, watchedKey } from "./fixture.js";

it("a verification after fn that waits for another keeps the shard until it has ended", async () => {
  let key: Promise<void> | undefined;
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
