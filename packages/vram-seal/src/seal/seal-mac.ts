import { timingSafeEqual } from "node:crypto";
import { types } from "node:util";
import { preAuthEncoding } from "../encoding/pre-auth-encoding.js";
import type { SealKey } from "../keys/seal-key.js";
import { SealError } from "../seal-error.js";
import type { SealBytes } from "./seal-shape.js";
import { SEAL_TYPE } from "./seal-statement.js";

/** HMAC-SHA256. */
export const MAC_BYTES = 32;

/**
 * The MAC of a statement's bytes.
 *
 * @throws SealError `KEY_UNAVAILABLE`, also for a key that gives anything but 32 bytes
 */
export async function sealMac(key: SealKey, instanceId: string, statement: Uint8Array): Promise<Uint8Array> {
  const mac: unknown = await key.mac(instanceId, signed(statement));
  if (types.isUint8Array(mac) && mac.length === MAC_BYTES) return mac;
  throw new SealError("KEY_UNAVAILABLE", "the seal key gave no HMAC-SHA256", { details: { reason: "bad-mac" } });
}

/** Whether a MAC is that of a statement's bytes. @throws SealError `KEY_UNAVAILABLE`, also for a key that answers neither yes nor no */
export async function verifySealMac(key: SealKey, instanceId: string, { statement, mac }: SealBytes): Promise<boolean> {
  const verdict: unknown = await key.verify(instanceId, signed(statement), mac);
  if (typeof verdict === "boolean") return verdict;
  throw new SealError("KEY_UNAVAILABLE", "the seal key did not tell whether a MAC is good", { details: { reason: "bad-verdict" } });
}

const signed = (statement: Uint8Array): Uint8Array => preAuthEncoding(SEAL_TYPE, statement);

/** Whether two MACs are the same, in a time that does not tell where they differ. */
export function equalMacs(expected: Uint8Array, received: Uint8Array): boolean {
  return expected.length === received.length && timingSafeEqual(expected, received);
}
