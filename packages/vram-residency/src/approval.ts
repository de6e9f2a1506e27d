import { readLfsPointer, verifyModelSignature } from "vram-seal";
import type { SealExpectation } from "vram-seal";
import { textProblem } from "vram-text";
import { VramError, invalidInput } from "./errors.js";
import type { Expectation } from "./options.js";

/**
 * Answers what is expected of a file, by its bare name if it has one.
 * @throws VramError or SealError `INTEGRITY_VIOLATION` for a model signature that does not hold or does not list the file;
 * `INVALID_INPUT`
 */
export type Approval = (fileName: string | undefined) => SealExpectation;

/** Reads an expectation when its file is known. Of the three sources of a SHA-256 there is at most one. */
export function approvalOf({ fsverity, sha256, lfsPointer, modelSignature, publicKey, file }: Expectation): Approval {
  return (fileName) => ({
    ...(fsverity !== undefined && { fsverity }),
    ...(sha256 !== undefined && { sha256 }),
    ...(lfsPointer !== undefined && { sha256: readLfsPointer(lfsPointer).sha256 }),
    ...(modelSignature !== undefined && publicKey !== undefined && signed(modelSignature, publicKey, file ?? fileName)),
  });
}

function signed(bundle: string | Uint8Array, publicKey: NonNullable<Expectation["publicKey"]>, file: string | undefined): SealExpectation {
  if (file === undefined) throw invalidInput("options.expect.file", "name the file in the model signature, for a source without a file name");
  const { identity, files } = verifyModelSignature(bundle, { publicKey });
  const sha256 = files.get(file);
  if (sha256 !== undefined) return { sha256, identity };
  throw new VramError("INTEGRITY_VIOLATION", "the model signature does not list the file", {
    details: { reason: "expect", step: "unlisted", ...(textProblem(file) === undefined && { file }) },
  });
}
