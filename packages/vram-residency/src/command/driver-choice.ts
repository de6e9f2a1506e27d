import { openDriver } from "vram-cuda";
import type { DriverSource } from "vram-cuda";
import { VramError, toVramError } from "../errors.js";
import type { Output } from "./output.js";

/** The value of `--simulate`; absent: the system's driver and nothing else. */
export type SimulateOption = "always" | "if-no-gpu";

/** The driver that a command shall use; `undefined` is the system's. @throws VramError `DRIVER_UNAVAILABLE` */
export async function chooseDriver(simulate: SimulateOption | undefined, output: Output): Promise<DriverSource | undefined> {
  if (simulate === undefined) return undefined;
  if (simulate === "if-no-gpu") {
    const missing = gpuMissing();
    if (missing === undefined) return undefined;
    output.notice(`No GPU here (${missing}); the simulator stands in, and everything it touches says so.`);
  }
  return loadSimulator();
}

function gpuMissing(): string | undefined {
  try {
    return openDriver().devices().length > 0 ? undefined : "the driver reports no device";
  } catch (error) {
    const { code } = toVramError(error);
    if (code !== "DRIVER_UNAVAILABLE") throw error;
    return "no usable NVIDIA driver";
  }
}

async function loadSimulator(): Promise<DriverSource> {
  const { simulator } = await importSimulator();
  return simulator();
}

async function importSimulator(): Promise<typeof import("vram-simulator")> {
  try {
    return await import("vram-simulator");
  } catch {
    throw new VramError("DRIVER_UNAVAILABLE", "the simulator is not installed; run: npm install --save-dev vram-simulator");
  }
}
