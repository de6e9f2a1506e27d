import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { CudaError, digestFile } from "vram-cuda";
import { EXIT } from "./exit-codes.js";
import type { ExitCode } from "./exit-codes.js";
import { fileErrorCode } from "../file-error.js";
import type { Interrupt } from "./interrupt.js";
import type { Output } from "./output.js";

/** Prints the fs-verity digest of each file, one line a file, as the `fsverity` command does. */
export async function digest(files: readonly string[], output: Output, interrupt: Interrupt): Promise<ExitCode> {
  const digests: { file: string; digest: string }[] = [];
  let code: ExitCode = EXIT.good;
  for (const file of files) {
    try {
      const hex = await digestOf(file, interrupt.signal);
      digests.push({ file, digest: `sha256:${hex}` });
      output.say(`sha256:${hex} ${printable(file)}`);
    } catch (error) {
      if (interrupt.exitCode !== undefined) return interrupt.exitCode;
      output.notice(`${printable(file)}: ${reasonOf(error)}`);
      code = EXIT.failed;
    }
  }
  output.result(digests);
  return code;
}

async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await digestFile(handle.fd, { signal });
  } finally {
    await handle.close();
  }
}

/** A name as one line that does nothing to a terminal: its controls are percent-encoded. */
function printable(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, encodeURIComponent);
}

function reasonOf(error: unknown): string {
  return error instanceof CudaError ? error.message : fileErrorCode(error);
}
