import { invalidInput } from "./cuda-error.js";
import { Device } from "./device.js";
import type { DeviceFacts, DriverFacts, DriverSource } from "./facts.js";
import { native, unwrap } from "./native.js";
import type { Handle } from "./native.js";
import { assertLibraryPath } from "./validate.js";

/** An initialised driver library. It stays loaded until the process ends. */
export class Driver {
  readonly facts: DriverFacts;
  readonly #handle: Handle<"driver">;

  /** @internal */
  constructor(handle: Handle<"driver">, facts: DriverFacts) {
    this.#handle = handle;
    this.facts = Object.freeze({ ...facts, environment: Object.freeze(facts.environment) });
  }

  /** Every visible device, in the driver's order. @throws CudaError `CUDA_FAILED`. */
  devices(): readonly DeviceFacts[] {
    return Object.freeze(unwrap(native().devices(this.#handle)).map((facts) => Object.freeze(facts)));
  }

  /**
   * Opens a device and tests the digest kernel on it.
   *
   * @param selector ordinal, or "GPU-<uuid>"
   * @throws CudaError `INVALID_INPUT` for a device that is not there, `INSUFFICIENT_VRAM` where the digest workspace does not
   *   fit, `CUDA_FAILED` (also for a kernel that gives a wrong digest), `DEVICE_LOST`
   */
  async openDevice(selector: number | string): Promise<Device> {
    const devices = this.devices();
    const facts = devices.find(({ ordinal, uuid }) => selector === ordinal || selector === uuid);
    if (facts === undefined) {
      throw invalidInput("device", `be the ordinal or "GPU-<uuid>" of one of the ${devices.length} devices present`);
    }
    const opened = unwrap(await native().openDevice(this.#handle, facts.ordinal));
    return new Device(opened.handle, facts, opened);
  }
}

/**
 * Loads and initialises the driver.
 *
 * @throws CudaError `DRIVER_UNAVAILABLE` with the remedy, `INVALID_INPUT` for a path that is not absolute
 */
export function openDriver(source?: DriverSource): Driver {
  if (source !== undefined) assertLibraryPath((source as Partial<DriverSource> | null)?.libraryPath);
  const { handle, facts } = unwrap(native().openDriver(source?.libraryPath ?? null));
  return new Driver(handle, facts);
}

