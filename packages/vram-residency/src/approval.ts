import { MODEL_OF_ONE_FILE, readLfsPointer, verifyModelSignature } from "vram-seal";
import type { ModelSignature, SealExpectation } from "vram-seal";
import { textProblem } from "vram-text";
import { VramError, invalidInput } from "./errors.js";
import { ownFields } from "./given.js";
import type { Expectation } from "./options/seal-options.js";

/**
 * Answers what is expected of a file, by its bare name if it has one.
 * @throws VramError or SealError `INTEGRITY_VIOLATION` for a model signature that does not hold or does not list the file;
 * `INVALID_INPUT`
 */
export type Approval = (fileName: string | undefined) => SealExpectation;

/** Reads an expectation when its file is known. Of the three sources of a SHA-256 there is at most one. */
export function approvalOf({ fsverity, sha256, lfsPointer, modelSignature, publicKey, file }: Expectation): Approval {
  let signature: ModelSignature | undefined;
  const signed = (fileName: string | undefined): SealExpectation | undefined => {
    if (modelSignature === undefined || publicKey === undefined) return undefined;
    if (fileName === undefined) throw invalidInput("source", "be a file, or options.expect.file name one, for a model signature");
    signature ??= verifyModelSignature(modelSignature, { publicKey });
    return { sha256: signedDigest(signature, fileName), identity: signature.identity };
  };
  // Of its own fields alone: an Object.prototype that was tampered with adds no digest.
  return (fileName) =>
    ownFields({
      ...(fsverity !== undefined && { fsverity }),
      ...(sha256 !== undefined && { sha256 }),
      ...(lfsPointer !== undefined && { sha256: readLfsPointer(lfsPointer).sha256 }),
      ...signed(file ?? fileName),
    });
}

function signedDigest({ files }: ModelSignature, file: string): string {
  const digest = files.get(file) ?? files.get(MODEL_OF_ONE_FILE);
  if (digest !== undefined) return digest;
  throw new VramError("INTEGRITY_VIOLATION", "the model signature does not list the file", {
    details: { reason: "expect", step: "unlisted", ...(textProblem(file) === undefined && { file }) },
  });
}
