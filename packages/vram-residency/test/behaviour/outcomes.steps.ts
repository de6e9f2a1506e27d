import { Then } from "quickpickle";
import { verifyAuditLog } from "vram-audit";
import { fsverityDigest } from "vram-seal";
import { simulatorStats } from "vram-simulator/control";
import { expect } from "vitest";
import { expectZeroed, onGpu, patternBytes, readEvents } from "../fixture.js";
import type { SealingWorld } from "./world.js";

Then("it succeeds", (world: SealingWorld) => {
  if (world.outcome !== undefined && "error" in world.outcome) throw world.outcome.error;
  expect(world.outcome).toBeDefined();
});
Then(/^it is refused with (\w+), which is (retriable|fatal|the caller's)$/, ({ error }: SealingWorld, code: string, kind: string) => {
  expect(error).toMatchObject({ name: "VramError", code, kind: kind.replace("the caller's", "caller") });
});
Then("the refusal's reason is {word}", ({ error }: SealingWorld, reason: string) => {
  expect(error.details["reason"]).toBe(reason);
});
Then("the refusal names the shard {string}", ({ error }: SealingWorld, shardId: string) => {
  expect(error.details["shardId"]).toBe(shardId);
});
Then("the error tells that {int} bytes are needed and how many are available", ({ error, residency }: SealingWorld, neededBytes: number) => {
  expect(error.details).toMatchObject({ neededBytes });
  expect(error.details["availableBytes"]).toBeLessThanOrEqual(residency.capacity().totalBytes);
  expect(error.details["availableBytes"]).toBeGreaterThanOrEqual(0);
});
Then("the error is the function's own", ({ error }: SealingWorld) => {
  expect(error).toBeInstanceOf(TypeError);
});
Then("some succeed, and the others are refused with {word}", ({ settled }: SealingWorld, code: string) => {
  const refused = settled.filter((result) => result.status === "rejected");
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(settled.length);
  for (const { reason } of refused) expect(reason).toMatchObject({ code });
});

Then(/^the worker is (ready|stopped)$/, ({ residency }: SealingWorld, state: string) => {
  expect(residency.state).toBe(state);
});
Then("the worker is closed for good", ({ residency }: SealingWorld) => {
  expect(residency.state).toBe("closed");
});
Then("the shard {string} is sealed", (world: SealingWorld, name: string) => {
  expect(world.shard(name).sealed).toBe(true);
});
Then("the shard {string} is number {int} of {int}", (world: SealingWorld, name: string, shardIndex: number, totalShards: number) => {
  expect(world.shard(name).toJSON()).toMatchObject({ shardIndex, totalShards });
});
Then("the shards {string} and {string} have one digest", (world: SealingWorld, first: string, second: string) => {
  expect(world.shard(first).digest).toBe(world.shard(second).digest);
});
Then("the seal's digest is the model's fs-verity digest", ({ outcome }: SealingWorld) => {
  const { digest, vramBytes } = (outcome as { value: { digest: string; vramBytes: number } }).value;
  expect(digest).toBe(fsverityDigest(patternBytes(vramBytes)));
});

Then(/^the trail has (\d+) "([\w.]+)" events?(?:, (info|warning|critical))?$/, async (world: SealingWorld, count: string, type: string, severity?: string) => {
  const events = await world.events(type);
  expect(events.map((event) => event.severity)).toEqual(Array(Number(count)).fill(severity));
});
Then("the trail has {string} before {string}", async ({ auditDir }: SealingWorld, first: string, second: string) => {
  const types = (await readEvents(auditDir)).map(({ type }): string => type);
  expect(types).toContain(first);
  expect(types.indexOf(first)).toBeLessThan(types.indexOf(second));
});
Then("the trail is good", async (world: SealingWorld) => {
  await world.residency.close();
  expect(await verifyAuditLog({ dir: world.auditDir })).toMatchObject({ ok: true });
});

Then("{int} bytes of device memory are in use", ({ residency }: SealingWorld, usedBytes: number) => {
  expect(residency.capacity().usedBytes).toBe(usedBytes);
});
Then("the memory in use is that of those that succeeded", ({ residency, settled }: SealingWorld) => {
  const bytes = settled.map((result) => (result.status === "fulfilled" ? result.value.vramBytes : 0));
  expect(residency.capacity().usedBytes).toBe(bytes.reduce((sum, each) => sum + each, 0));
});
Then("no device memory is in use", (world: SealingWorld) => {
  if (onGpu) {
    expect(world.residency.capacity().usedBytes).toBe(0);
    return;
  }
  // The digest workspace of an open worker is the only memory that may be left.
  const { allocations, contexts } = simulatorStats();
  expect(allocations.length).toBeLessThanOrEqual(contexts);
});
Then("all memory that went back was zeroed", expectZeroed);

Then("the function ran {int} times", ({ runs }: SealingWorld, times: number) => {
  expect(runs).toBe(times);
});
Then("the execution ended before the release", ({ order }: SealingWorld) => {
  expect(order).toEqual(["execution", "release"]);
});
