// The device that is measured: a GPU where there is one, else the simulator. It is opened twice in this process, by the facade
// and beneath it, so that loads with and without a seal, and the parts of a verification, are the same code's.
import { join } from "node:path";
import { openAuditLog } from "vram-audit";
import { openDriver } from "vram-cuda";
import { resolvePolicy } from "vram-policy";
import { openResidency } from "vram-residency";
import { generate } from "vram-seal";
import { once } from "./once.mjs";

function hasGpu() {
  try {
    return openDriver().devices().length > 0;
  } catch (error) {
    if (error.code === "DRIVER_UNAVAILABLE") return false;
    throw error;
  }
}

async function chooseDriver(requiresGpu) {
  if (hasGpu()) return { driver: undefined, policy: {}, surroundings: (work) => work() };
  if (requiresGpu) throw new Error("--gpu: there is no GPU here");
  const { simulator } = await import("vram-simulator");
  const { hashNatively } = await import("vram-simulator/control");
  const surroundings = async (work) => {
    hashNatively(true);
    try {
      return await work();
    } finally {
      hashNatively(false);
    }
  };
  return { driver: simulator(), policy: { allowBackends: ["simulator"] }, surroundings };
}

export async function openWorkplace({ folder, requiresGpu }) {
  const { driver: source, policy, surroundings } = await chooseDriver(requiresGpu);
  const driver = openDriver(source);
  const device = await driver.openDevice(0);
  const sealKey = await generate();
  const residency = once(async () =>
    openResidency({
      ...{ sealKey, policy, workerId: "bench", driver: source },
      audit: await openAuditLog({ dir: join(folder, "audit") }),
    }),
  );
  return {
    ...{ device, sealKey, residency },
    /** What another residency on the same device is opened with. */
    open: { policy, driver: source },
    /** Runs work that a digest is a part of and not the subject: on the simulator the host's hash stands in for the kernel. */
    surroundings,
    backend: driver.facts.backend,
    driverVersion: driver.facts.driverVersion,
    policy: resolvePolicy(policy),
    async close() {
      await (await residency()).close();
      await device.close();
    },
  };
}
