import { canonicalize } from "../encoding/canonical-json.js";
import { encodeBase64 } from "../encoding/base64.js";
import type { SealKey } from "../keys/seal-key.js";
import { invalidInput } from "../seal-error.js";
import { parseStatement } from "./parse-statement.js";
import type { Seal, SealStatement } from "./seal-statement.js";
import { sealMac } from "./seal-mac.js";

/**
 * Seals a statement: its RFC 8785 bytes and their HMAC under the key of the statement's instance (docs/spec/seal-v1.md).
 * What is checked is what is signed: the statement is serialised once and judged from those bytes.
 *
 * @throws SealError `INVALID_INPUT` (naming the field), `KEY_UNAVAILABLE`
 */
export async function createSeal(statement: SealStatement, key: SealKey): Promise<Seal> {
  const bytes = Buffer.from(canonicalize(statement));
  const parsed = parseStatement(bytes);
  if (parsed.problem) throw invalidInput(parsed.problem.field, parsed.problem.expectation);
  const { keyId, keyLocked, instanceId } = parsed.statement;
  if (keyId !== key.keyId) throw invalidInput("keyId", "be the id of the key that seals");
  if (keyLocked !== key.locked) throw invalidInput("keyLocked", "say whether the key that seals is locked");
  const mac = await sealMac(key, instanceId, bytes);
  return Object.freeze({ statement: encodeBase64(bytes), mac: encodeBase64(mac) });
}
