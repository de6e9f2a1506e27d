import { accessSync } from "node:fs";
import { libraryPath } from "./native.js";
import { SimulatorError } from "./simulator-error.js";

/**
 * The simulated driver as a driver source: the CUDA driver's interface over host memory, which executes the kernel that
 * ships. Everything that uses it is marked `backend: "simulator"`, and the default policy refuses it.
 *
 * @throws SimulatorError `DRIVER_UNAVAILABLE` where the library was not built
 */
export function simulator(): { readonly libraryPath: string } {
  try {
    accessSync(libraryPath);
  } catch {
    throw new SimulatorError("DRIVER_UNAVAILABLE", "the simulator is not built; run its build script (needs a C++20 compiler and CMake)");
  }
  return { libraryPath };
}
