import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import { invalidInput } from "../errors.js";
import { fileErrorCode } from "../file-error.js";

/** More than any attestation, proof, checkpoint or key has: a longer file is refused by its form. */
const READ_MAX_BYTES = 16 * 1024 * 1024 + 1;

/** @throws VramError `INVALID_INPUT` naming the argument when the file cannot be read */
export async function readFileArgument(argument: string, path: string): Promise<Buffer> {
  try {
    return await buffer(createReadStream(path, { end: READ_MAX_BYTES - 1 }));
  } catch (error) {
    throw invalidInput(argument, `name a readable file (${fileErrorCode(error)})`);
  }
}
