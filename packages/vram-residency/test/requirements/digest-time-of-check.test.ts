import { createHash } from "node:crypto";
import { appendFile, truncate, writeFile } from "node:fs/promises";
import { fsverityDigest } from "vram-seal";
import { faultCopy, flipBit, setLatency, setPointerAttribute, simulatorStats, skipKernel } from "vram-simulator/control";
import { describe, expect, it, vi } from "vitest";
import { bufferIdOf, deferred, eventTypes, eventsOfType, flipSealedBit, itWithFaults, openWorkplace, patternBytes, refusal } from "../fixture.js";
import type { Workplace } from "../fixture.js";

const BYTES = 5 * 4096 + 100;
const REFUSED = "vram.seal.verification_failed";

describe("a sealed shard", () => {
  itWithFaults("TT-1 CI-007 test_digest_reverification the digest kernel is launched before every execution", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    const launches = () => simulatorStats().calls["cuLaunchKernel"] ?? 0;
    for (let round = 0; round < 3; round += 1) {
      const before = launches();
      expect(await residency.execute(shard, launches)).toBeGreaterThan(before);
    }
  });

  it.each([
    ["the first byte", 0],
    ["the middle", BYTES >> 1],
    ["the last byte", BYTES - 1],
  ])("TT-1 CI-007 WORKER-4122 WORKER-4161 test_digest_reverification one bit flipped in %s refuses the execution and stops the worker", async (_, byteOffset) => {
    const place = await openWorkplace();
    const { residency } = place;
    const shard = await residency.seal(patternBytes(BYTES), { shardId: "hit" });
    await flipSealedBit(residency, shard, byteOffset);

    const fn = vi.fn();
    const error = await refusal(residency.execute(shard, fn));
    const facts = { shardId: "hit", reason: "digest", expectedDigest: shard.digest };
    expect(error).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", kind: "fatal", details: facts });
    expect(error.details["actualDigest"]).not.toBe(shard.digest);
    expect(fn).not.toHaveBeenCalled();
    expect(residency.state).toBe("stopped");
    expect(residency.signal.reason).toMatchObject({ code: "SEAL_VERIFICATION_FAILED" });
    expect(await eventsOfType(place, REFUSED)).toMatchObject([{ severity: "critical", data: facts }]);
    for (const refused of [residency.execute(shard, fn), residency.verify(shard), residency.seal(Buffer.alloc(1))]) {
      expect(await refusal(refused)).toMatchObject({ code: "STOPPED", kind: "fatal" });
    }
    await shard.close();
    expect(await eventsOfType(place, "vram.shard.deallocated")).toMatchObject([{ data: { wiped: true } }]);
  });

  itWithFaults("TT-1 a kernel that is skipped never passes on old digests", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    await residency.verify(shard);
    skipKernel({ sticky: true });
    expect(await refusal(residency.verify(shard))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED" });
  });
});

describe("a stale digest", () => {
  it("TT-2 test_stale_digest_rejected a released shard never verifies again, also when its id and memory are used again", async () => {
    const { residency } = await openWorkplace();
    const bytes = patternBytes(BYTES);
    const old = await residency.seal(bytes, { shardId: "again" });
    await old.close();
    const fresh = await residency.seal(bytes, { shardId: "again" });
    const fn = vi.fn();
    expect(await refusal(residency.execute(old, fn))).toMatchObject({ code: "NOT_SEALED", kind: "caller" });
    expect(fn).not.toHaveBeenCalled();
    await residency.verify(fresh);
  });

  it("TT-2 SF-3 test_stale_digest_rejected neither a released shard nor its seal verifies where nothing took its place", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    await shard.close();
    expect(shard.sealed).toBe(false);
    expect(await refusal(residency.verify(shard))).toMatchObject({ code: "NOT_SEALED", kind: "caller" });
    expect(await refusal(residency.verify(shard.seal))).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "unknown_shard" } });
  });

  itWithFaults.each([
    ["buffer", 7],
    ["block", 20],
  ])("TT-2 test_stale_digest_rejected memory whose %s id is another than was sealed, at the same address", async (_, attribute) => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    setPointerAttribute(attribute, 77);
    const error = await refusal(residency.verify(shard));
    expect(error).toMatchObject({ code: "SEAL_VERIFICATION_FAILED", details: { reason: "placement" } });
  });
});

describe("a change at the same time", () => {
  async function expectUndone(place: Workplace): Promise<void> {
    expect(place.residency.state).toBe("ready");
    expect(place.residency.capacity().usedBytes).toBe(0);
    expect(await eventTypes(place)).toEqual(["vram.worker.started", REFUSED, "vram.shard.deallocated"]);
  }

  itWithFaults.each([
    ["grows", (path: string) => appendFile(path, "more")],
    ["shrinks", (path: string) => truncate(path, 4096)],
    ["is written to", (path: string) => writeFile(path, Buffer.alloc(24 << 20, 7), { flag: "r+" })],
  ])("TT-3 test_concurrent_modification_detected a file that %s while it is loaded", async (_, change) => {
    const place = await openWorkplace();
    const path = await place.model(Buffer.alloc(24 << 20, 1));
    setLatency("cuMemcpyHtoDAsync_v2", 100);
    const begun = deferred();
    const sealing = refusal(place.residency.seal(path, { onProgress: () => { begun.resolve(); } }));
    await begun.promise;
    await change(path);
    expect(await sealing).toMatchObject({ code: "INTEGRITY_VIOLATION", kind: "fatal" });
    await expectUndone(place);
  });

  itWithFaults("TT-3 test_concurrent_modification_detected a buffer that its owner changes while it is sealed", async () => {
    const place = await openWorkplace();
    const bytes = Buffer.alloc(6 << 20, 1);
    setLatency("cuMemcpyHtoDAsync_v2", 20);
    const sealing = refusal(place.residency.seal(bytes));
    const timer = setInterval(() => {
      bytes.writeUInt32LE(bytes.readUInt32LE(5 << 20) + 1, 5 << 20);
    }, 1);
    const error = await sealing;
    clearInterval(timer);
    expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "load" } });
    await expectUndone(place);
  });

  itWithFaults.each(["drop", "short"] as const)(
    "TT-3 test_concurrent_modification_detected a copy to the device that answers success but does %s bytes",
    async (mode) => {
      const place = await openWorkplace();
      faultCopy({ direction: "toDevice", mode });
      const error = await refusal(place.residency.seal(patternBytes(9000)));
      expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "load" } });
      await expectUndone(place);
    },
  );

  itWithFaults("TT-3 test_concurrent_modification_detected a lost copy, also where the memory then has one of the two expected digests", async () => {
    const place = await openWorkplace();
    const bytes = patternBytes(9000);
    const expected = { fsverity: fsverityDigest(Buffer.alloc(9000)), sha256: createHash("sha256").update(bytes).digest("hex") };
    faultCopy({ direction: "toDevice", mode: "drop" });
    const error = await refusal(place.residency.seal(bytes, { expect: expected }));
    expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "expect" } });
    await expectUndone(place);
  });

  it("TT-3 test_concurrent_modification_detected a change by the execution itself is found by the next one", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    await flipSealedBit(residency, shard, 1);
    expect(await refusal(residency.verify(shard))).toMatchObject({ details: { reason: "digest" } });
  });

  itWithFaults("TT-3 test_concurrent_modification_detected many executions at once: none runs after a bit flipped", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    const fn = vi.fn();
    const many = () => Promise.allSettled([1, 2, 3, 4, 5].map(() => residency.execute(shard, fn)));
    expect((await many()).every(({ status }) => status === "fulfilled")).toBe(true);
    expect(fn).toHaveBeenCalledTimes(5);
    flipBit({ bufferId: bufferIdOf(shard), byteOffset: 1 });
    const results = await many();
    expect(fn).toHaveBeenCalledTimes(5);
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  });
});

describe("sealed", () => {
  it("WORKER-4112 WORKER-4113 a shard is resident, read-only and digested from device memory before its seal is given", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(BYTES));
    const statement = JSON.parse(Buffer.from(shard.seal.statement, "base64").toString()) as Record<string, unknown>;
    expect(statement).toMatchObject({ digest: shard.digest, vramBytes: BYTES, placement: { access: "read" } });
    expect(shard.sealed).toBe(true);
  });

  itWithFaults("WORKER-4113 no seal is given where the digest was not taken from device memory", async () => {
    const place = await openWorkplace();
    skipKernel();
    expect(await refusal(place.residency.seal(patternBytes(BYTES)))).toMatchObject({ code: "CUDA_FAILED", kind: "fatal" });
    expect(place.residency.capacity().usedBytes).toBe(0);
    expect(await eventsOfType(place, "vram.shard.sealed")).toEqual([]);
  });
});
