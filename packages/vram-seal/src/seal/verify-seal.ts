import { assertInstanceId } from "../input.js";
import type { SealKey } from "../keys/seal-key.js";
import { parseStatement } from "./parse-statement.js";
import { equalMacs, sealMac } from "./seal-mac.js";
import { refused } from "./seal-refusal.js";
import { readSealShape } from "./seal-shape.js";
import type { SealStatement } from "./seal-statement.js";

export interface VerifySealOptions {
  readonly key: SealKey;
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
  const { key, instanceId } = options;
  assertInstanceId(instanceId);
  const received = readSealShape(seal);
  if (received === undefined) throw refused("shape", "the seal is not two canonical base64 texts of allowed length");

  const mac = await sealMac(key, instanceId, received.statement);
  if (!equalMacs(mac, received.mac)) throw refused("mac", "the seal's MAC is wrong");

  const { statement, problem } = parseStatement(received.statement);
  if (problem) throw refused("statement", `the seal's statement is malformed: ${problem.field} must ${problem.expectation}`);
  if (statement.keyId !== key.keyId) throw refused("statement", "the seal's statement names another key");
  if (statement.instanceId !== instanceId) throw refused("instance", "the seal is of another process instance");
  return statement;
}
