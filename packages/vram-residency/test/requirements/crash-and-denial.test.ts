import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { failCall, loseDevice, simulatorStats } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { eventsOfType, itWithFaults, openWorkplace, patternBytes, refusal } from "../fixture.js";

const BYTES = 9000;
const NOTHING = { allocations: [], reservations: 0, contexts: 0, streams: 0, modules: 0, allocatedBytes: 0 };

describe("the end", () => {
  /** Runs a program of its own that prints what the simulator held last. */
  function endOf(way: string): { left: object; zeroed: boolean[]; unhandled: string[] } {
    const program = fileURLToPath(new URL("programs/end.mjs", import.meta.url));
    return JSON.parse(execFileSync(process.execPath, ["--expose-gc", program, way], { encoding: "utf8", timeout: 25_000, stdio: "pipe" })) as ReturnType<typeof endOf>;
  }

  itWithFaults.each([
    ["process.exit with live shards", "exit"],
    ["an end by itself with live shards", "end"],
    ["a worker thread that is terminated while it verifies", "terminate"],
    ["a worker thread that ends with live shards", "thread"],
    ["collected objects that nobody closed", "collect"],
    ["close() while shards are sealed, verified and executed on", "busy"],
  ])("CD-6 MS-004 MS-005 test_drop_never_panics %s is clean: wiped, freed, no unhandled rejection", (_, way) => {
    const { left, zeroed, unhandled } = endOf(way);
    expect(left).toEqual(NOTHING);
    expect(zeroed.length).toBeGreaterThan(0);
    expect(zeroed).not.toContain(false);
    expect(unhandled).toEqual([]);
  });
});

describe("closing", () => {
  it("CD-6 MS-005 test_drop_never_panics twice and at once, of shard and residency, is one", async () => {
    const place = await openWorkplace();
    const { residency } = place;
    const shard = await residency.seal(patternBytes(BYTES));
    await Promise.all([shard.close(), residency.close(), shard.close(), residency.close()]);
    await shard[Symbol.asyncDispose]();
    await residency[Symbol.asyncDispose]();
    expect(await eventsOfType(place, "vram.shard.deallocated")).toMatchObject([{ data: { wiped: true } }]);
    expect(residency.state).toBe("closed");
  });

  it("CD-6 during a verification waits for it, and the verification has its own outcome", async () => {
    const { residency } = await openWorkplace();
    const shard = await residency.seal(patternBytes(4096 * 200));
    const verifying = residency.verify(shard);
    const closing = residency.close();
    expect(await verifying).toMatchObject({ shardId: shard.shardId });
    await closing;
    expect(await refusal(residency.verify(shard))).toMatchObject({ code: "STOPPED" });
  });

  itWithFaults.each(["cuMemsetD8Async", "cuMemSetAccess", "cuMemUnmap", "cuMemAddressFree", "cuLaunchKernel", "cuStreamSynchronize", "cuMemcpyDtoHAsync_v2"])(
    "MS-004 MS-005 CD-6 test_drop_never_panics goes through where %s fails for good",
    async (entryPoint) => {
      const { residency } = await openWorkplace();
      const shard = await residency.seal(patternBytes(BYTES));
      failCall({ entryPoint, code: 1, sticky: true });
      await shard.close();
      await residency.close();
      expect(residency.state).toBe("closed");
    },
  );

  itWithFaults.each([46, 214, 700, 719, 999])("MS-004 goes through on a device lost with %d; memory counts as lost, not as wiped", async (code) => {
    const place = await openWorkplace();
    const shard = await place.residency.seal(patternBytes(BYTES));
    loseDevice(code);
    await shard.close();
    await place.residency.close();
    expect(await eventsOfType(place, "vram.shard.deallocated")).toMatchObject([{ severity: "critical", data: { wiped: false, lost: true } }]);
  });
});

describe("a huge model", () => {
  const huge = (byteLength: number) => Object.assign((async function* () { await Promise.resolve(); yield new Uint8Array(1); })(), { byteLength });

  itWithFaults("CD-7 IV-001 test_max_model_size the limit is 100 GiB: one byte more is refused before any driver call", async () => {
    const { residency } = await openWorkplace();
    const before = simulatorStats().calls;
    const error = await refusal(residency.seal(huge(107_374_182_401)));
    expect(error).toMatchObject({ code: "INVALID_INPUT", kind: "caller", details: { maxModelBytes: 107_374_182_400 } });
    expect(simulatorStats().calls).toEqual(before);
    expect(await refusal(residency.seal(huge(107_374_182_400)))).not.toMatchObject({ details: { maxModelBytes: 107_374_182_400 } });
  });

  it("CD-7 RP-003 test_max_model_size_enforced a configured limit holds for a file, memory and a stream alike", async () => {
    const place = await openWorkplace({ limits: { maxModelBytes: 4096 } });
    const bytes = patternBytes(4097);
    for (const source of [await place.model(bytes), bytes, huge(4097)]) {
      expect(await refusal(place.residency.seal(source))).toMatchObject({ code: "INVALID_INPUT", details: { maxModelBytes: 4096 } });
    }
    expect(place.residency.state).toBe("ready");
  });
});
