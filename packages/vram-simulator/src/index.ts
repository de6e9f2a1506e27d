export { simulator } from "./simulator.js";
export { SimulatorError } from "./simulator-error.js";
export type { SimulatorErrorCode } from "./simulator-error.js";
