import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { fsverityDigest } from "vram-seal";
import { failCall } from "vram-simulator/control";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VramError } from "../../src/index.js";
import type { VramErrorKind } from "../../src/index.js";
import { flipSealedBit, itWithFaults, openWorkplace, patternBytes, refusal } from "../fixture.js";

const KINDS: Record<VramErrorKind, readonly VramError["code"][]> = {
  retriable: ["INSUFFICIENT_VRAM", "CUDA_ALLOCATION_FAILED", "KEY_UNAVAILABLE"],
  fatal: [
    ...(["SEAL_VERIFICATION_FAILED", "INTEGRITY_VIOLATION", "POLICY_VIOLATION", "DEVICE_LOST", "DRIVER_UNAVAILABLE"] as const),
    ...(["CUDA_FAILED", "AUDIT_UNAVAILABLE", "STOPPED"] as const),
  ],
  caller: ["INVALID_INPUT", "INVALID_CONFIG", "NOT_SEALED", "ABORTED"],
};

it.each(Object.entries(KINDS))("WORKER-4151 what is %s is so by its code", (kind, codes) => {
  for (const code of codes) expect(new VramError(code, "message").kind).toBe(kind);
});

describe("anything as an argument", () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withMap: true, withTypedArray: true, maxDepth: 2 });

  it("WORKER-4150 ends in a value or a VramError, and leaves the worker ready", async () => {
    const { residency } = await openWorkplace({ limits: { maxModelBytes: 4096 } });
    const shard = await residency.seal(patternBytes(10));
    const calls: ((value: never, other: never) => Promise<unknown>)[] = [
      (value, other) => residency.seal(value, other),
      (value, other) => residency.sealSet(value, other),
      (value, other) => residency.execute(value, other),
      (_, other) => residency.execute(shard, () => undefined, other),
      (_, other) => residency.verify(shard, other),
      (_, other) => residency.seal(patternBytes(10), other),
    ];
    await fc.assert(
      fc.asyncProperty(fc.nat(calls.length - 1), anything, anything, async (index, value, other) => {
        const outcome: unknown = await calls[index]?.(value as never, other as never).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: "VramError", kind: "caller" });
        expect(residency.state).toBe("ready");
        if (typeof outcome === "object" && outcome !== null && "close" in outcome) await (outcome as typeof shard).close();
      }),
      { numRuns: 300 },
    );
  });

  it("WORKER-4150 to a worker of its own, as what is verified, is refused by a VramError", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const { residency } = await openWorkplace();
        const error = await refusal(residency.verify(value as never));
        expect(error.code).toMatch(/^(INVALID_INPUT|SEAL_VERIFICATION_FAILED)$/);
        await residency.close();
      }),
      { numRuns: 20 },
    );
  });
});

itWithFaults("WORKER-4151 a failed copy is no allocation to try again, and a bad range no tampering", async () => {
  const { residency } = await openWorkplace();
  failCall({ entryPoint: "cuMemcpyHtoDAsync_v2", code: 2 });
  expect(await refusal(residency.seal(patternBytes(5000)))).toMatchObject({ code: "CUDA_FAILED", kind: "fatal" });
  const shard = await residency.seal(patternBytes(5000));
  const viewing = residency.execute(shard, (lease) => lease.view({ offset: 4999, byteLength: 2 }));
  expect(await refusal(viewing)).toMatchObject({ code: "INVALID_INPUT", kind: "caller" });
  expect(residency.state).toBe("ready");
});

it("WORKER-4150 an error of the caller's own fn passes through unchanged", async () => {
  const { residency } = await openWorkplace();
  const shard = await residency.seal(patternBytes(10));
  const mine = new TypeError("mine");
  await expect(residency.execute(shard, () => Promise.reject(mine))).rejects.toBe(mine);
  expect(residency.state).toBe("ready");
});

it("WORKER-4152 no message has a path beyond a bare file name, nor a byte of the weights", async () => {
  const place = await openWorkplace();
  const { residency, folder } = place;
  const marker = Buffer.from("weight-bytes-0123456789");
  const path = await place.model(Buffer.concat([marker, patternBytes(5000)]));
  const errors = [await refusal(residency.seal(`${folder}/absent.bin`)), await refusal(residency.seal(folder)), await refusal(residency.seal(path, { expect: { sha256: "0".repeat(64) } }))];
  const shard = await residency.seal(path);
  await flipSealedBit(residency, shard, 3);
  errors.push(await refusal(residency.verify(shard)), await refusal(residency.verify(shard)));
  expect(new Set(errors.map(({ code }) => code)).size).toBeGreaterThan(3);
  for (const error of errors) {
    for (let each: unknown = error; each instanceof Error; each = each.cause) {
      const told = each.message + inspect("details" in each ? each.details : {}, { depth: Infinity });
      expect(told).not.toContain(folder);
      for (const form of ["latin1", "hex", "base64"] as const) expect(told).not.toContain(marker.toString(form).slice(0, 24));
    }
  }
});

itWithFaults("WORKER-4153 an allocation that the driver refuses tells needed and available bytes", async () => {
  const { residency } = await openWorkplace();
  failCall({ entryPoint: "cuMemCreate", code: 2 });
  const { details } = await refusal(residency.seal(patternBytes(5000)));
  expect(details["neededBytes"]).toBeGreaterThanOrEqual(5000);
  expect(details["availableBytes"]).toEqual(expect.any(Number));
});

it.each([1, 4095, 4096, 4097, 128 * 4096, 128 * 4096 + 1])("CI-004 the digest of %i bytes in device memory is the file's fs-verity digest", async (byteLength) => {
  const { residency } = await openWorkplace();
  const bytes = patternBytes(byteLength);
  const { digest } = await residency.seal(bytes);
  expect(digest).toBe(fsverityDigest(bytes));
  if (byteLength === 4096) expect(digest).toBe(ofOneBlock(bytes));
});

/** The fs-verity digest of one block, by node:crypto alone: SHA-256 of the descriptor that holds the block's SHA-256. */
function ofOneBlock(bytes: Uint8Array): string {
  const descriptor = Buffer.alloc(256);
  descriptor.set([1, 1, 12]);
  descriptor.writeBigUInt64LE(4096n, 8);
  createHash("sha256").update(bytes).digest().copy(descriptor, 16);
  return createHash("sha256").update(descriptor).digest("hex");
}
