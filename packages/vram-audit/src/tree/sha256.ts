import { createHash, hash } from "node:crypto";

export const HASH_BYTES = 32;

/** Parts up to this length together are hashed in one call, which for a line or two hashes costs half of what a hash object does. */
const ONE_SHOT_BYTES = 16_384;
const joined = Buffer.allocUnsafeSlow(ONE_SHOT_BYTES);

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > ONE_SHOT_BYTES) return incremental(parts);
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  // Text of one character a byte is made faster than a Buffer of native memory.
  return Buffer.from(hash("sha256", joined.subarray(0, end), "binary"), "binary");
}

/** The same in lowercase hexadecimal characters. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

function incremental(parts: readonly Uint8Array[]): Buffer {
  const state = createHash("sha256");
  for (const part of parts) state.update(part);
  return state.digest();
}
