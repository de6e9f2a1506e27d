import { canonicalize } from "../encoding/canonical-json.js";
import { encodeBase64 } from "../encoding/base64.js";
import { preAuthEncoding } from "../encoding/pre-auth-encoding.js";
import { invalidInput } from "../seal-error.js";
import type { AttestationKey } from "./attestation-key.js";
import { attestationProblem } from "./attestation-rules.js";
import type { AttestationStatement } from "./attestation-statement.js";
import { ATTESTATION_TYPE } from "./attestation-statement.js";

/**
 * Signs a statement. What is checked is what is signed: it is serialised once and judged from those bytes.
 *
 * @returns the DSSE envelope as canonical JSON text (RFC 8785), which is the only form that verifies
 * @throws SealError `INVALID_INPUT` (naming the field), `KEY_UNAVAILABLE`
 */
export async function createAttestation(statement: AttestationStatement, key: AttestationKey): Promise<string> {
  const payload = Buffer.from(canonicalize(statement));
  const problem = attestationProblem(JSON.parse(payload.toString("utf8")));
  if (problem !== undefined) throw invalidInput(problem.field, problem.expectation);
  if (statement.predicate.signingKey !== key.origin) throw invalidInput("signingKey", "say where the key that signs came from");
  const sig = await key.sign(preAuthEncoding(ATTESTATION_TYPE, payload));
  return canonicalize({
    payload: encodeBase64(payload),
    payloadType: ATTESTATION_TYPE,
    signatures: [{ keyid: key.keyId, sig: encodeBase64(sig) }],
  });
}
