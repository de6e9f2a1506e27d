import { types } from "node:util";
import { invalidInput } from "./seal-error.js";

/** A process instance in text: 128 bits, lowercase hexadecimal. */
const INSTANCE_ID = /^[0-9a-f]{32}$/;

/** Says what is wrong with an instance id, or nothing. */
export function instanceIdProblem(value: unknown): string | undefined {
  return typeof value === "string" && INSTANCE_ID.test(value) ? undefined : "be 32 lowercase hexadecimal characters";
}

/** @throws SealError `INVALID_INPUT` */
export function assertInstanceId(value: unknown): asserts value is string {
  const problem = instanceIdProblem(value);
  if (problem !== undefined) throw invalidInput("instanceId", problem);
}

/** @throws SealError `INVALID_INPUT` */
export function assertBytes(argument: string, value: unknown): asserts value is Uint8Array {
  if (!types.isUint8Array(value)) throw invalidInput(argument, "be a Uint8Array");
}
