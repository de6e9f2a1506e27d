import { describe, expect, it, vi } from "vitest";
import { failCall, simulatorStats, skipKernel } from "vram-simulator/control";
import { eventTypes, openWorkplace, patternBytes, refusal } from "./fixture.js";
import type { Workplace } from "./fixture.js";

const bytes = patternBytes(9000);

describe("driver faults while sealing", () => {
  it.each([
    ["cuMemCreate", 2, "INSUFFICIENT_VRAM"],
    ["cuMemCreate", 999, "DEVICE_LOST"],
    ["cuMemAddressReserve", 2, "CUDA_ALLOCATION_FAILED"],
    ["cuMemMap", 1, "CUDA_ALLOCATION_FAILED"],
    ["cuMemcpyHtoDAsync_v2", 1, "CUDA_FAILED"],
  ])("%s failing with %i is %s", async (entryPoint, code, expected) => {
    const place = await openWorkplace();
    failCall({ entryPoint, code });
    const error = await refusal(place.residency.seal(bytes));
    expect(error.code).toBe(expected);
    expect(place.residency.state).toBe(expected === "DEVICE_LOST" ? "stopped" : "ready");
    if (expected === "DEVICE_LOST") return;
    expect(await eventTypes(place)).toContain("vram.allocation.failed");
    await place.residency.seal(bytes);
  });
});

describe("driver faults while verifying", () => {
  it.each([
    ["cuLaunchKernel", 1],
    ["cuMemcpyDtoHAsync_v2", 1],
    ["cuLaunchKernel", 719],
  ])("%s failing with %i leaves the shard unverified: refused, audited, stopped", async (entryPoint, code) => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    failCall({ entryPoint, code });
    const fn = vi.fn();
    expect(await refusal(place.residency.execute(shard, fn))).toMatchObject({
      code: "SEAL_VERIFICATION_FAILED",
      details: { reason: "driver" },
    });
    expect(fn).not.toHaveBeenCalled();
    expect(place.residency.state).toBe("stopped");
    expect(await eventTypes(place)).toContain("vram.seal.verification_failed");
  });
});

describe("driver faults while releasing", () => {
  it("MS-004 a wipe that fails stops the worker, stays counted and is critical in the trail; close() does not throw", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    failCall({ entryPoint: "cuMemsetD8Async", code: 1, sticky: true });
    await shard.close();
    expect(place.residency.state).toBe("stopped");
    expect(place.residency.capacity().usedBytes).toBeGreaterThan(0);
    const events = await place.events();
    expect(events.filter(({ type }) => type === "vram.shard.deallocated")).toMatchObject([
      { severity: "critical", data: { wiped: false, lost: false } },
    ]);
  });

  it("memory that is wiped but not given back stays counted and stops the worker", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    const { usedBytes } = place.residency.capacity();
    failCall({ entryPoint: "cuMemUnmap", code: 1, sticky: true });
    await shard.close();
    expect(place.residency.state).toBe("stopped");
    expect(place.residency.signal.reason).toMatchObject({ code: "CUDA_FAILED" });
    expect(place.residency.capacity().usedBytes).toBe(usedBytes);
  });

  it("addresses that are not given back hold no memory: the worker goes on", async () => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    failCall({ entryPoint: "cuMemAddressFree", code: 1 });
    await shard.close();
    expect(place.residency.state).toBe("ready");
    expect(place.residency.capacity().usedBytes).toBe(0);
  });

  async function expectLost(place: Workplace): Promise<void> {
    expect(place.residency.state).toBe("stopped");
    expect(place.residency.signal.reason).toMatchObject({ code: "DEVICE_LOST" });
    const events = await place.events();
    expect(events.filter(({ type }) => type === "vram.shard.deallocated")).toMatchObject([
      { severity: "critical", data: { wiped: false, lost: true } },
    ]);
  }

  it.each(["cuMemUnmap", "cuMemAddressFree"])("a device lost in %s, behind the wipe, counts as lost, not wiped", async (entryPoint) => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(bytes);
    failCall({ entryPoint, code: 719 });
    await shard.close();
    await expectLost(place);
  });

});

describe("a failing audit trail", () => {
  function failingAudit(allowed: number) {
    let appended = 0;
    return {
      append: () => {
        appended += 1;
        return appended <= allowed
          ? Promise.resolve({ sequence: appended, hash: "" })
          : Promise.reject(Object.assign(new Error("disk full"), { name: "AuditError", code: "AUDIT_UNAVAILABLE", details: {} }));
      },
      close: () => Promise.resolve(),
    } as never;
  }

  it("undoes a seal that could not be audited and stops", async () => {
    const { residency } = await openWorkplace({ audit: failingAudit(1) });
    expect(await refusal(residency.seal(bytes))).toMatchObject({ code: "AUDIT_UNAVAILABLE", kind: "fatal" });
    expect(residency.state).toBe("stopped");
    expect(simulatorStats().freed.at(-1)).toMatchObject({ zeroed: true });
    expect(residency.capacity().usedBytes).toBe(0);
  });

  it("keeps the refusal's code, with the audit's error as its cause", async () => {
    const { residency } = await openWorkplace({ audit: failingAudit(2) });
    const shard = await residency.seal(bytes);
    skipKernel({ sticky: true });
    expect(await refusal(residency.execute(shard, () => undefined))).toMatchObject({
      code: "SEAL_VERIFICATION_FAILED",
      cause: { code: "AUDIT_UNAVAILABLE" },
    });
  });

  it("never keeps memory from being wiped and freed", async () => {
    const { residency } = await openWorkplace({ audit: failingAudit(2) });
    const shard = await residency.seal(bytes);
    await shard.close();
    expect(simulatorStats().freed.at(-1)).toMatchObject({ zeroed: true });
    expect(residency.state).toBe("stopped");
  });
});
