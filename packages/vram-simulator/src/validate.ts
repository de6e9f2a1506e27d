import { invalidInput } from "./simulator-error.js";

/** @throws SimulatorError `INVALID_INPUT` unless `value` is an integer in the range. */
export function integer(argument: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw invalidInput(argument, `be an integer from ${minimum} to ${maximum}`);
}
