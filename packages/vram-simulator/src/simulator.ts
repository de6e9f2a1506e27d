import { libraryPath } from "./native.js";

/**
 * The simulated driver as a driver source: the CUDA driver's interface over host memory, which executes the kernel that
 * ships. Everything that uses it is marked `backend: "simulator"`, and the default policy refuses it.
 *
 * @throws SimulatorError `DRIVER_UNAVAILABLE` where the addon is absent or does not load
 */
export function simulator(): { readonly libraryPath: string } {
  return { libraryPath: libraryPath() };
}
