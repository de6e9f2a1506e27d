/** What went wrong, in the spelling of the facade's error codes. */
export type SimulatorErrorCode = "INVALID_INPUT" | "DRIVER_UNAVAILABLE";

/** The one error class of this package. */
export class SimulatorError extends Error {
  override readonly name = "SimulatorError";
  readonly code: SimulatorErrorCode;

  constructor(code: SimulatorErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function invalidInput(argument: string, expectation: string): SimulatorError {
  return new SimulatorError("INVALID_INPUT", `${argument} must ${expectation}`);
}
