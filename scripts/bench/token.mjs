// A seal key in SoftHSM.
import { fromPkcs11 } from "vram-seal";
import { PIN, isHsmSetUp, makeToken, pkcs11 } from "../hsm.mjs";

const LABEL = "bench";

export const isTokenAbsent = () => (isHsmSetUp() ? undefined : "SoftHSM is not set up");

/** A random key in a new token, used by the token alone. */
export async function openTokenKey(folder) {
  const { library, addKeys } = makeToken(folder, LABEL);
  addKeys({ label: LABEL });
  return fromPkcs11({ library, token: LABEL, pin: PIN, key: LABEL, mode: "direct", module: pkcs11() });
}
