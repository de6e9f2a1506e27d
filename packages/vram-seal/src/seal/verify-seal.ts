import { assertInstanceId } from "../input.js";
import type { SealKey } from "../keys/seal-key.js";
import { parseStatement } from "./parse-statement.js";
import { verifySealMac } from "./seal-mac.js";
import { refused } from "./seal-refusal.js";
import { readSealShape } from "./seal-shape.js";
import type { SealBytes } from "./seal-shape.js";
import type { SealStatement } from "./seal-statement.js";

/** What a seal is checked against. */
export interface VerifySealOptions {
  /** The key, or all that may have made the seal; the likeliest first. */
  readonly key: SealKey | readonly SealKey[];
  /** The instance the seal must come from, 32 lowercase hexadecimal characters. */
  readonly instanceId: string;
}

/**
 * Verifies a presented seal, untrusted bytes, in the order of docs/spec/seal-v1.md: shape; MAC, in constant time, over the
 * bytes as received; statement; instance. Says nothing about liveness, age, placement or the bytes in VRAM.
 *
 * @returns the statement, frozen
 * @throws SealError `SEAL_VERIFICATION_FAILED` with `details.reason`, a `SealRefusal`; `INVALID_INPUT` for a bad
 * option; `KEY_UNAVAILABLE`
 */
export async function verifySeal(seal: unknown, options: VerifySealOptions): Promise<SealStatement> {
  const { key: given, instanceId } = options;
  assertInstanceId(instanceId);
  const received = readSealShape(seal);
  if (received === undefined) throw refused("shape", "the seal is not two canonical base64 texts of allowed length");

  const keys = Array.isArray(given) ? (given as readonly SealKey[]) : [given as SealKey];
  const key = await signerOf(received, { keys, instanceId });
  if (key === undefined) throw refused("mac", "the seal's MAC is wrong");

  const { statement, problem } = parseStatement(received.statement);
  if (problem) throw refused("statement", `the seal's statement is malformed: ${problem.field} must ${problem.expectation}`);
  if (statement.keyId !== key.keyId) throw refused("statement", "the seal's statement names another key");
  if (statement.instanceId !== instanceId) throw refused("instance", "the seal is of another process instance");
  return statement;
}

/** The first key whose MAC it is. A key that is out of reach is no verdict, unless another made the seal. */
async function signerOf(
  seal: SealBytes,
  { keys, instanceId }: { readonly keys: readonly SealKey[]; readonly instanceId: string },
): Promise<SealKey | undefined> {
  const unavailable: unknown[] = [];
  for (const key of keys) {
    try {
      if (await verifySealMac(key, instanceId, seal)) return key;
    } catch (error) {
      unavailable.push(error);
    }
  }
  if (unavailable.length > 0) throw unavailable[0];
  return undefined;
}
