import { faultCopy } from "vram-simulator/control";
import { describe, expect, it } from "vitest";
import { itWithFaults, openSimulated, openTestDevice } from "./fixture.js";
import { loadInto, pattern } from "./simulated.js";

describe("copies that are not what the driver says", () => {
  itWithFaults.each(["drop", "short"] as const)("VP-001 a copy in that does not arrive (%s) makes the device's digest differ from the host's", async (mode) => {
    const device = await openSimulated();
    const allocation = await device.allocate(9000);
    faultCopy({ direction: "toDevice", mode });
    await allocation.append(pattern(9000));
    const { fsverity } = await allocation.finishLoad();
    expect(await allocation.digest()).not.toBe(fsverity);
  });

  itWithFaults.each(["drop", "short"] as const)("CI-007 neither copy back of a digest may stay out (%s)", async (mode) => {
    const device = await openSimulated();
    const allocation = await loadInto(device, pattern(600_000));
    for (const after of [0, 1]) {
      faultCopy({ direction: "toHost", mode, after });
      const outcome = await allocation.digest().catch((error: unknown) => error);
      expect(outcome).toHaveProperty("code", expect.stringMatching(/^(CUDA_FAILED|INTEGRITY_VIOLATION)$/));
    }
  });

  itWithFaults("copies that arrive late have arrived when the load is finished and when a digest is told", async () => {
    const device = await openSimulated();
    const expected = await (await loadInto(device, pattern(9000))).digest();
    faultCopy({ direction: "toDevice", mode: "late", sticky: true });
    faultCopy({ direction: "toHost", mode: "late", sticky: true });
    expect(await (await loadInto(device, pattern(9000))).digest()).toBe(expected);
  });

  it("two digests and a placement of one allocation at once all settle", async () => {
    const device = await openTestDevice();
    const allocation = await loadInto(device, pattern(9000));
    const [first, second, facts] = await Promise.all([allocation.digest(), allocation.digest(), allocation.placement()]);
    expect(first).toBe(second);
    expect(facts.memoryType).toBe("device");
  });
});
