import { types } from "node:util";
import { invalidInput } from "../seal-error.js";

/** What a Git LFS pointer says of the file that it stands for. */
export interface LfsPointer {
  /** 64 lowercase hexadecimal characters. */
  readonly sha256: string;
  readonly byteLength: number;
}

/** Git LFS specification, version 1. An extension changes what the oid is of: pointers with one do not fit. */
const POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,15})\n$/;
const POINTER_MAX_BYTES = 1024;

/**
 * Reads a Git LFS pointer: what Hugging Face keeps in the repository in the place of a large file. It names a digest; who
 * wrote it, only its repository can tell.
 *
 * @throws SealError `INVALID_INPUT`
 */
export function readLfsPointer(pointer: string | Uint8Array): LfsPointer {
  const isGiven = typeof pointer === "string" || types.isUint8Array(pointer);
  const text = isGiven && pointer.length <= POINTER_MAX_BYTES ? Buffer.from(pointer as Uint8Array).toString("latin1") : "";
  const [, sha256, size] = POINTER.exec(text) ?? [];
  const byteLength = Number(size);
  if (sha256 === undefined || !Number.isSafeInteger(byteLength)) {
    throw invalidInput("lfsPointer", "be a Git LFS pointer of version 1, with a SHA-256 oid and a size");
  }
  return Object.freeze({ sha256, byteLength });
}
