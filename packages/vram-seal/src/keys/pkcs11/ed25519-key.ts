import { createPublicKey, type KeyObject } from "node:crypto";
import { CKA_EC_PARAMS, CKA_EC_POINT, CKA_KEY_TYPE, CKK_EC_EDWARDS } from "./module.js";
import type { Pkcs11Handle } from "./module.js";
import { tokenUnavailable } from "./token-error.js";
import type { TokenSession } from "./token-session.js";

const KEY_BYTES = 32;
/** A CK_ULONG as this machine has it in memory, if it is a 64-bit one. */
const EDWARDS = Buffer.from(BigUint64Array.of(BigInt(CKK_EC_EDWARDS)).buffer);
/** The curve as tokens name it, in DER: its object identifier (RFC 8410), or PKCS #11's name in a PrintableString. */
const ED25519_PARAMS = [Buffer.from("06032b6570", "hex"), Buffer.from("130c656477617264733235353139", "hex")];
/** What tokens write before the key's bytes: nothing, or the header of an OCTET STRING in DER. */
const POINT_HEADERS = [Buffer.alloc(0), Buffer.from("0420", "hex")];

/** What reads a token's objects. */
export type TokenObjects = Pick<TokenSession, "attribute">;

/** @throws SealError `KEY_UNAVAILABLE` */
export function assertEd25519(token: TokenObjects, key: Pkcs11Handle): void {
  if (!EDWARDS.equals(token.attribute(key, CKA_KEY_TYPE)) || !isAmong(ED25519_PARAMS, token.attribute(key, CKA_EC_PARAMS))) throw notEd25519();
}

/** A public key of a token. @throws SealError `KEY_UNAVAILABLE` */
export function readEd25519(token: TokenObjects, key: Pkcs11Handle): KeyObject {
  assertEd25519(token, key);
  const point = token.attribute(key, CKA_EC_POINT);
  const bytes = point.subarray(-KEY_BYTES);
  if (bytes.length !== KEY_BYTES || !isAmong(POINT_HEADERS, point.subarray(0, -KEY_BYTES))) throw notEd25519();
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url") }, format: "jwk" });
}

const isAmong = (known: readonly Buffer[], value: Buffer): boolean => known.some((each) => each.equals(value));

const notEd25519 = () => tokenUnavailable("not-ed25519", "the token's key is not an Ed25519 key");
