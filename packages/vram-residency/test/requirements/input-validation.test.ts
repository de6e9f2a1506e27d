import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { eventTypes, openWorkplace, patternBytes, refusal } from "../fixture.js";

const UNSAFE = ["a\0b", "a\nb", "a\u001b[31m", "a\u009bb", "a\u202eb", "a\u2066b", "a\ud800b"];

async function expectRefused(shardId: unknown): Promise<void> {
  const place = await openWorkplace();
  const error = await refusal(place.residency.seal(patternBytes(10), { shardId } as never));
  expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller", details: { argument: "options.shardId" } });
  expect(await eventTypes(place)).toEqual(["vram.worker.started"]);
  expect(place.residency.capacity().usedBytes).toBe(0);
}

it.each([1, -1, 0.5, Number.NaN, 2 ** 53, "", "GPU-00000000-0000-0000-0000-00000000ffff", "0", null, 0n, {}])(
  "IV-002 test_gpu_device_validation the device %s is refused",
  async (device) => {
    const error = await refusal(openWorkplace({ device } as never));
    expect(error.code).toMatch(/^INVALID_(INPUT|CONFIG)$/);
    expect(error.kind).toBe("caller");
    expect(error.details["argument"]).toBe("options.device");
  },
);

it("IV-002 test_gpu_device_validation the device may be named by its ordinal and by its UUID", async () => {
  const first = await openWorkplace({ device: 0 });
  const { gpuUuid } = (await first.residency.seal(patternBytes(1))).toJSON();
  await first.residency.close();
  const second = await openWorkplace({ device: gpuUuid });
  expect((await second.residency.seal(patternBytes(1))).toJSON()).toMatchObject({ gpuDevice: 0, gpuUuid });
});

describe("a shard id", () => {
  it.each(["", "a".repeat(257), "a/b", "../a", "a.b", "a b", "ä", "a\0", 5, null, {}, ["a"]])(
    "IV-003 test_shard_id_validation %j is refused with no side effect",
    expectRefused,
  );

  it.each(["a", "A-z_09", "a".repeat(256)])("IV-003 test_shard_id_validation %s is accepted", async (shardId) => {
    const { residency } = await openWorkplace();
    expect((await residency.seal(patternBytes(10), { shardId })).shardId).toBe(shardId);
  });
});

describe("an expected digest", () => {
  it.each(["A".repeat(64), "0".repeat(63), "0".repeat(65), "g".repeat(64), "", ` ${"0".repeat(63)}`, 5, null])(
    "IV-004 test_digest_validation %j is refused before anything is allocated",
    async (digest) => {
      for (const name of ["fsverity", "sha256"]) {
        const place = await openWorkplace();
        const error = await refusal(place.residency.seal(patternBytes(10), { expect: { [name]: digest } }));
        expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller", details: { argument: `options.expect.${name}` } });
        expect(await eventTypes(place)).toEqual(["vram.worker.started"]);
      }
    },
  );

  it.each([{}, { md5: "0".repeat(32) }])("IV-004 test_digest_validation %j names none", async (expected) => {
    const { residency } = await openWorkplace();
    expect(await refusal(residency.seal(patternBytes(10), { expect: expected as never }))).toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("text", () => {
  it.each(UNSAFE)("IV-005 test_null_byte_rejection %j is refused everywhere and not echoed", async (text) => {
    const { residency } = await openWorkplace();
    const errors = [
      await refusal(residency.seal(patternBytes(10), { modelRef: text })),
      await refusal(residency.seal(patternBytes(10), { shardId: text })),
      await refusal(residency.seal(`./${text}.bin`)),
      await refusal(residency.sealSet([patternBytes(10)], { setId: text })),
      await refusal(openWorkplace({ workerId: text })),
    ];
    for (const error of errors) {
      expect(error.kind).toBe("caller");
      expect(error.code).toMatch(/^INVALID_(INPUT|CONFIG)$/);
      expect(inspect(error, { depth: Infinity })).not.toContain(text);
      expect(error.message + JSON.stringify(error.details)).not.toContain(text);
    }
    expect(residency.state).toBe("ready");
  });

  it.each(["", "x".repeat(513)])("IV-005 a model reference and a worker id have 1 to 512 characters, not these", async (text) => {
    const { residency } = await openWorkplace();
    expect(await refusal(residency.seal(patternBytes(10), { modelRef: text }))).toMatchObject({ code: "INVALID_INPUT" });
    expect(await refusal(openWorkplace({ workerId: text }))).toMatchObject({ code: "INVALID_CONFIG" });
  });
});
