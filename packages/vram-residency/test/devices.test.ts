import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import { generate } from "vram-seal";
import { failCall, resetSimulator } from "vram-simulator/control";
import { expect } from "vitest";
import { openResidency } from "../src/index.js";
import type { DeviceSelector } from "../src/index.js";
import { backend, eventTypes, eventsOfType, expectNothingHeld, expectZeroed, itWithFaults, openWorkplace, patternBytes, readEvents, refusal, temporaryFolder } from "./fixture.js";

const MiB = 1 << 20;
const INTEGRATED = 18;
const LOST = 700;
const OUT_OF_MEMORY = 2;
const TWO = { devices: [{ name: "First", memoryBytes: 256 * MiB }, { name: "Second", memoryBytes: 128 * MiB }] };

async function refusedOpening(device: readonly DeviceSelector[], devices: Parameters<typeof resetSimulator>[0]) {
  resetSimulator(devices);
  const dir = join(await temporaryFolder(), "audit");
  const error = await refusal(openResidency({ workerId: "w", ...backend, device, sealKey: await generate(), audit: await openAuditLog({ dir }) }));
  expectNothingHeld();
  return { error, events: (await readEvents(dir)).filter(({ type }) => !type.startsWith("vram.audit.")) };
}

itWithFaults("opens several devices, by ordinal or UUID, and says of each that the worker started, in the order given", async () => {
  const first = await openWorkplace({}, TWO);
  const { uuid } = first.residency.devices[0] ?? { uuid: "" };
  const place = await openWorkplace({ device: [1, uuid] }, TWO);
  expect(place.residency.devices).toEqual([
    { ordinal: 1, uuid: expect.stringMatching(/^GPU-/) as string, name: "Second" },
    { ordinal: 0, uuid, name: "First" },
  ]);
  const started = await eventsOfType(place, "vram.worker.started");
  expect(started.map(({ data }) => data)).toMatchObject([{ gpuDevice: 1, gpuName: "Second" }, { gpuDevice: 0, gpuName: "First" }]);
  await place.residency.close();
  expect(await eventTypes(place)).toEqual(["vram.worker.started", "vram.worker.started", "vram.worker.stopped"]);
  expectNothingHeld();
});

itWithFaults("refuses to open a device twice, one that is not there, and no device", async () => {
  const { uuid } = (await openWorkplace({}, TWO)).residency.devices[0] ?? { uuid: "" };
  for (const device of [[0, 0], [0, uuid], [0, 2]]) {
    expect(await refusedOpening(device, TWO)).toMatchObject({ error: { code: "INVALID_INPUT", details: { argument: "options.device" } }, events: [] });
  }
  for (const device of [[], [0, -1], [[0]], [0, null]]) {
    const { error, events } = await refusedOpening(device as never, TWO);
    expect(error.code).toBe("INVALID_CONFIG");
    expect(error.message).toMatch(/^options\.device(\.1)? must be a device ordinal.*GPU-x/);
    expect(events).toEqual([]);
  }
});

itWithFaults("refuses all devices if one violates the policy, and says which", async () => {
  const devices = [{}, { attributes: { [INTEGRATED]: 1 } }, {}];
  const { error, events } = await refusedOpening([0, 1, 2], { devices });
  expect(error).toMatchObject({ code: "POLICY_VIOLATION", details: { gpuDevice: 1 } });
  expect(events).toMatchObject([{ type: "vram.policy.violation", data: { stage: "open" } }]);
  await openWorkplace({ device: [0, 2] }, { devices });
});

itWithFaults("closes the devices that it opened if the next cannot be opened", async () => {
  const { error, events } = await refusedOpening([0, 1], { devices: [{}, { memoryBytes: 2 * MiB }] });
  expect(error.code).toBe("INSUFFICIENT_VRAM");
  expect(events).toEqual([]);
});

itWithFaults("seals on the device that is named, by default on the first, and counts the memory of each", async () => {
  const { residency } = await openWorkplace({ device: [1, 0] }, TWO);
  const empty = residency.capacity();
  const onSecond = await residency.seal(patternBytes(10), { shardId: "a" });
  const onFirst = await residency.seal(patternBytes(10), { shardId: "b", device: residency.devices[1]?.uuid ?? "" });
  expect([onSecond.toJSON().gpuDevice, onFirst.toJSON().gpuDevice]).toEqual([1, 0]);
  const [first, second] = [residency.capacity(0), residency.capacity(1)];
  expect([first.totalBytes, second.totalBytes]).toEqual([256 * MiB, 128 * MiB]);
  expect([first.usedBytes, second.usedBytes]).toEqual([2 * MiB, 2 * MiB]);
  expect(residency.capacity()).toEqual({ ...empty, usedBytes: 4 * MiB, availableBytes: empty.availableBytes - 4 * MiB });
  await residency.execute([onSecond, onFirst], ({ shards }) => { expect(shards).toHaveLength(2); });
  await onSecond.close();
  expect([residency.capacity(0).usedBytes, residency.capacity(1).usedBytes]).toEqual([2 * MiB, 0]);
});

itWithFaults("refuses a device that is not open", async () => {
  const place = await openWorkplace({ device: [1] }, TWO);
  expect(await refusal(place.residency.seal(patternBytes(10), { device: 0 }))).toMatchObject({ code: "INVALID_INPUT", details: { argument: "options.device" } });
  expect(() => place.residency.capacity(0)).toThrow(expect.objectContaining({ code: "INVALID_INPUT", details: { argument: "device" } }));
  expect(await eventTypes(place)).toEqual(["vram.worker.started"]);
  expect(place.residency.state).toBe("ready");
});

itWithFaults("a model that fits one device is refused by another that it does not fit", async () => {
  const { residency } = await openWorkplace({ device: [0, 1] }, { devices: [{ memoryBytes: 256 * MiB }, { memoryBytes: 64 * MiB }] });
  const model = Buffer.alloc(48 * MiB);
  const { availableBytes } = residency.capacity(1);
  expect(await refusal(residency.seal(model, { device: 1 }))).toMatchObject({ code: "INSUFFICIENT_VRAM", details: { availableBytes, reason: "shortage" } });
  expect(residency.capacity().usedBytes).toBe(0);
});

itWithFaults("memory that the driver refuses although as much is free is fragmentation", async () => {
  const { residency } = await openWorkplace({ device: [0, 1] }, TWO);
  failCall({ entryPoint: "cuMemCreate", code: OUT_OF_MEMORY });
  const error = await refusal(residency.seal(patternBytes(10)));
  expect(error).toMatchObject({ code: "INSUFFICIENT_VRAM", kind: "retriable", details: { neededBytes: 2 * MiB, reason: "fragmentation" } });
  expect(error.details["availableBytes"]).toBeGreaterThanOrEqual(2 * MiB);
  expect(residency.capacity().usedBytes).toBe(0);
  await residency.seal(patternBytes(10));
});

itWithFaults("a lost device stops the worker, and the memory of the others is wiped", async () => {
  const place = await openWorkplace({ device: [0, 1] }, TWO);
  const [kept, lost] = [await place.residency.seal(patternBytes(10), { shardId: "kept" }), await place.residency.seal(patternBytes(10), { shardId: "lost", device: 1 })];
  const loss = refusal(place.residency.execute([kept, lost], () => {
    failCall({ entryPoint: "cuMemGetInfo_v2", code: LOST, after: 1 });
  }));
  expect(await loss).toMatchObject({ code: "DEVICE_LOST" });
  expect(place.residency.state).toBe("stopped");
  await place.residency.close();
  const ends = await eventsOfType(place, "vram.shard.deallocated");
  expect(ends).toHaveLength(2);
  expect(ends).toEqual(expect.arrayContaining([
    expect.objectContaining({ data: expect.objectContaining({ shardId: "kept", wiped: true, lost: false }) as unknown }),
    expect.objectContaining({ data: expect.objectContaining({ shardId: "lost", wiped: false, lost: true }) as unknown }),
  ]));
  expectZeroed();
});

itWithFaults("an attestation speaks of one device, and is refused for shards of two", async () => {
  const place = await openWorkplace({ device: [0, 1] }, TWO);
  const [first, second] = [await place.residency.seal(patternBytes(10)), await place.residency.seal(patternBytes(10), { device: 1 })];
  const nonce = new Uint8Array(16);
  expect(await refusal(place.residency.attest([first, second], { nonce }))).toMatchObject({ code: "INVALID_INPUT", details: { argument: "shards" } });
  expect(await eventsOfType(place, "vram.shard.verified")).toEqual([]);
  const { payload } = JSON.parse(await place.residency.attest(second, { nonce })) as { payload: string };
  expect(JSON.parse(Buffer.from(payload, "base64").toString())).toMatchObject({ predicate: { device: { uuid: second.toJSON().gpuUuid } } });
});
