import { setTimeout as delay } from "node:timers/promises";
import { Given, When } from "quickpickle";
import type { Seal } from "vram-seal";
import { failCall, setLatency, setPointerAttribute, skipKernel } from "vram-simulator/control";
import { backend, deferred, flipSealedBit, patternBytes } from "../fixture.js";
import { failingAudit } from "./world.js";
import type { SealingWorld } from "./world.js";

const SMALL = 5000;
const MIB = 2 ** 20;

Given("a worker", (world: SealingWorld) => world.open());
Given("a worker on a device of {int} MiB", (world: SealingWorld, size: number) => {
  world.needsSimulator();
  world.devices = { devices: [{ memoryBytes: size * MIB }] };
  return world.open();
});
Given("a worker whose models may have {int} bytes", (world: SealingWorld, maxModelBytes: number) => world.open({ limits: { maxModelBytes } }));
Given("a worker that accepts seals for {int} millisecond(s)", (world: SealingWorld, maxSealAgeMs: number) =>
  world.open({ policy: { ...backend.policy, maxSealAgeMs } }),
);
Given("a worker whose policy requires an expected digest", (world: SealingWorld) => world.open({ policy: { ...backend.policy, requireExpected: true } }));
Given("a worker whose trail fails after {int} event(s)", (world: SealingWorld, allowed: number) => world.open({ audit: failingAudit(allowed) }));
Given("a device without unified memory", (world: SealingWorld) => {
  world.devices = { devices: [{}] };
});
Given(/^a device of which attribute (\d+) is 1, .+$/, (world: SealingWorld, attribute: string) => {
  world.needsSimulator();
  world.devices = { devices: [{ attributes: { [attribute]: 1 } }] };
});
Given("the sealed shard {string}", async (world: SealingWorld, shardId: string) => {
  world.shards.set(shardId, await world.residency.seal(patternBytes(SMALL), { shardId }));
});
Given("the sealed set {string} of {int} files", async (world: SealingWorld, setId: string, count: number) => {
  const set = await world.residency.sealSet(Array.from({ length: count }, (_, index) => patternBytes(SMALL + index)), { setId });
  world.sets.set(setId, set);
  for (const shard of set.shards) world.shards.set(shard.shardId, shard);
});

When("a worker is opened on it", (world: SealingWorld) => world.attempt(() => world.open()));
When("a worker is opened on it under the default policy", (world: SealingWorld) => {
  world.needsSimulator();
  return world.attempt(() => world.open({ policy: {} }));
});
When("a new worker continues with the same key and trail", (world: SealingWorld) => {
  for (const [name, { seal }] of world.shards) world.formerSeals.set(name, seal);
  world.shards.clear();
  return world.open();
});
When("the worker is closed", (world: SealingWorld) => world.residency.close());
When("{int} milliseconds pass", (_: SealingWorld, milliseconds: number) => delay(milliseconds));

When("a model of {int} bytes is sealed as {string}", (world: SealingWorld, byteLength: number, shardId: string) =>
  world.attempt(async () => {
    const shard = await world.residency.seal(patternBytes(byteLength), { shardId });
    world.shards.set(shardId, shard);
    return shard;
  }),
);
When("a set of {int} files of {int} MiB is sealed as {string}", (world: SealingWorld, count: number, size: number, setId: string) =>
  world.attempt(() => world.residency.sealSet(Array.from({ length: count }, () => Buffer.alloc(size * MIB, 1)), { setId })),
);
When("{int} models of {int} MiB are sealed at once", async (world: SealingWorld, count: number, size: number) => {
  world.settled = await Promise.allSettled(Array.from({ length: count }, () => world.residency.seal(Buffer.alloc(size * MIB, 1))));
});
When("a model of {int} MiB is aborted while it is loaded", (world: SealingWorld, size: number) => {
  world.needsSimulator();
  const controller = new AbortController();
  setLatency("cuMemcpyHtoDAsync_v2", 20);
  const onProgress = () => {
    controller.abort();
  };
  return world.attempt(() => world.residency.seal(Buffer.alloc(size * MIB, 1), { signal: controller.signal, onProgress }));
});

When("the shard {string} is verified", (world: SealingWorld, name: string) => world.attempt(() => world.residency.verify(world.shard(name))));
When("the shard {string} is executed on", (world: SealingWorld, name: string) =>
  world.attempt(() => world.residency.execute(world.shard(name), () => (world.runs += 1))),
);
When("the shard {string} is executed on {int} times at once", (world: SealingWorld, name: string, times: number) =>
  world.attempt(() => Promise.all(Array.from({ length: times }, () => world.residency.execute(world.shard(name), () => (world.runs += 1))))),
);
When("the shard {string} is executed on by a function that throws", (world: SealingWorld, name: string) =>
  world.attempt(() => world.residency.execute(world.shard(name), () => Promise.reject(new TypeError("the function's own")))),
);
When("the set {string} is executed on", (world: SealingWorld, name: string) =>
  world.attempt(() => world.residency.execute(world.sets.get(name) as never, () => (world.runs += 1))),
);
When("the shard {string} is released", (world: SealingWorld, name: string) => world.shard(name).close());
When("the set {string} is released", (world: SealingWorld, name: string) => world.sets.get(name)?.close());
When("the shard {string} is released while it is executed on", (world: SealingWorld, name: string) => closeWhileExecuting(world, name, () => world.shard(name).close()));
When("the worker is closed while {string} is executed on", (world: SealingWorld, name: string) => closeWhileExecuting(world, name, () => world.residency.close()));

async function closeWhileExecuting(world: SealingWorld, name: string, close: () => Promise<void>): Promise<void> {
  const started = deferred();
  const running = world.residency.execute(world.shard(name), async () => {
    started.resolve();
    await delay(50);
    world.order.push("execution");
  });
  await started.promise;
  await Promise.all([running, close().then(() => world.order.push("release"))]);
}

const present = (world: SealingWorld, seal: Seal) => world.attempt(() => world.residency.verify(seal));
When("the seal of {string} is presented", (world: SealingWorld, name: string) => present(world, world.shard(name).seal));
When("the former seal of {string} is presented", (world: SealingWorld, name: string) => present(world, world.formerSeals.get(name) as never));
When("the seal of {string} is presented with another digest", (world: SealingWorld, name: string) => {
  const { seal, digest } = world.shard(name);
  const statement = Buffer.from(seal.statement, "base64").toString().replace(digest, "0".repeat(64));
  return present(world, { ...seal, statement: Buffer.from(statement).toString("base64") });
});
When("the seal of {string} is presented with a forged signature", (world: SealingWorld, name: string) =>
  present(world, { ...world.shard(name).seal, mac: Buffer.alloc(32, 7).toString("base64") }),
);

When("one bit of {string} flips in device memory", (world: SealingWorld, name: string) => flipSealedBit(world.residency, world.shard(name), 4097));
When("the kernel does nothing from now on", (world: SealingWorld) => {
  world.needsSimulator();
  skipKernel({ sticky: true });
});
When("the driver says that attribute {int} of its memory is {int}", (world: SealingWorld, attribute: number, value: number) => {
  world.needsSimulator();
  setPointerAttribute(attribute, value);
});
When("the driver fails {word} with {int} after {int} call(s)", (world: SealingWorld, entryPoint: string, code: number, after: number) => {
  world.needsSimulator();
  failCall({ entryPoint, code, after });
});
