import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openAuditLog } from "vram-audit";
import { generate } from "vram-seal";
import { resetSimulator } from "vram-simulator/control";
import { openResidency } from "../src/index.js";
import type { OpenResidencyOptions } from "../src/index.js";
import { backend, expectNothingHeld, onGpu, openWorkplace, refusal, temporaryFolder } from "./fixture.js";

async function options(change: Partial<OpenResidencyOptions> = {}) {
  if (!onGpu) resetSimulator();
  const auditDir = join(await temporaryFolder(), "audit");
  const sealKey = await generate();
  const audit = await openAuditLog({ dir: auditDir });
  onTestFinished(() => audit.close());
  const given = { sealKey, audit, workerId: "w", ...backend, ...change };
  return { auditDir, given };
}

describe("openResidency", () => {
  it("closes audit and key when it rejects, also for wrong options", async () => {
    const { given } = await options();
    for (const wrong of [{ ...given, workerId: "a\nb" }, { ...given, device: 7 }, { ...given, extra: 1 }]) {
      const closed: string[] = [];
      const audit = { append: () => Promise.reject(new Error("unused")), close: () => Promise.resolve(void closed.push("audit")) };
      const sealKey = { mac: () => undefined, close: () => Promise.resolve(void closed.push("key")) };
      const error = await refusal(openResidency({ ...wrong, audit, sealKey } as never));
      expect(["INVALID_CONFIG", "INVALID_INPUT"]).toContain(error.code);
      expect(closed).toEqual(["audit", "key"]);
    }
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["no audit", { workerId: "w" }],
    ["a policy of unknown rules", { policy: { trustEverybody: true } }],
    ["limits of NaN", { limits: { maxModelBytes: Number.NaN } }],
    ["limits of 2^53", { limits: { reserveBytes: 2 ** 53 } }],
  ])("INVALID_CONFIG for %s", async (_, change) => {
    const given = change === undefined || change === null ? change : { ...(await options()).given, ...change };
    const wrong = change !== undefined && change !== null && "workerId" in change ? change : given;
    expect(await refusal(openResidency(wrong as never))).toMatchObject({ code: "INVALID_CONFIG", kind: "caller" });
  });

  it("DRIVER_UNAVAILABLE names the remedy where the library is missing", async () => {
    const { given } = await options({ driver: { libraryPath: "/nonexistent/libcuda.so.1" } });
    const error = await refusal(openResidency(given));
    expect(error).toMatchObject({ code: "DRIVER_UNAVAILABLE", kind: "fatal" });
    expect(error.message).not.toContain("/nonexistent");
  });

  it("close wipes every shard, gives everything back and is idempotent", async () => {
    const place = await openWorkplace();
    await place.residency.seal(Buffer.alloc(5000, 1));
    await place.residency.seal(Buffer.alloc(5000, 2));
    await Promise.all([place.residency.close(), place.residency.close()]);
    expect(place.residency.state).toBe("closed");
    expectNothingHeld();
    const wipes = (await place.events()).filter(({ type }) => type === "vram.shard.deallocated");
    expect(wipes).toMatchObject([{ data: { wiped: true, cause: "closed" } }, { data: { wiped: true, cause: "closed" } }]);
    expect(await refusal(place.residency.seal(Buffer.alloc(1)))).toMatchObject({ code: "STOPPED" });
  });
});
