import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { errorOf } from "../../../test/support/fixtures.js";
import { assertEd25519, readEd25519 } from "./ed25519-key.js";
import { CKA_EC_PARAMS, CKA_EC_POINT, CKA_KEY_TYPE } from "./module.js";

const { publicKey } = generateKeyPairSync("ed25519");
const bytes = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex");
const handle = Buffer.alloc(8);
const EDWARDS = "4000000000000000";
const OBJECT_IDENTIFIER = "06032b6570";

/** A token with one key, its attributes in hexadecimal. */
const token = (keyType: string, params: string, point: string) => ({
  attribute: (_: Buffer, type: number) => Buffer.from({ [CKA_KEY_TYPE]: keyType, [CKA_EC_PARAMS]: params, [CKA_EC_POINT]: point }[type] ?? "", "hex"),
});

describe("VP-006 an Ed25519 key in a token", () => {
  it.each([
    ["its bytes, the curve by its object identifier", OBJECT_IDENTIFIER, bytes],
    ["its bytes in an OCTET STRING", OBJECT_IDENTIFIER, `0420${bytes}`],
    ["the curve by its name", `130c${Buffer.from("edwards25519").toString("hex")}`, `0420${bytes}`],
    ["bytes that look like a header", OBJECT_IDENTIFIER, `0420${"07".repeat(30)}`],
  ])("is read from %s", (_, params, point) => {
    const expected = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(point, "hex").subarray(-32).toString("base64url") }, format: "jwk" });
    expect(readEd25519(token(EDWARDS, params, point), handle).equals(expected)).toBe(true);
  });

  it.each([
    ["another type", "0300000000000000", OBJECT_IDENTIFIER, bytes],
    ["no type", "", OBJECT_IDENTIFIER, bytes],
    ["a type with a bit more", "4000000000000001", OBJECT_IDENTIFIER, bytes],
    ["the curve Ed448", EDWARDS, "06032b6571", bytes],
    ["no curve", EDWARDS, "", bytes],
    ["a curve and more", EDWARDS, `${OBJECT_IDENTIFIER}00`, bytes],
    ["no bytes", EDWARDS, OBJECT_IDENTIFIER, ""],
    ["31 bytes", EDWARDS, OBJECT_IDENTIFIER, bytes.slice(2)],
    ["33 bytes", EDWARDS, OBJECT_IDENTIFIER, `00${bytes}`],
    ["an OCTET STRING of another length", EDWARDS, OBJECT_IDENTIFIER, `0421${bytes}`],
    ["a BIT STRING", EDWARDS, OBJECT_IDENTIFIER, `032100${bytes}`],
    ["an OCTET STRING and more", EDWARDS, OBJECT_IDENTIFIER, `0420${bytes}00`],
  ])("is not one of %s", async (_, keyType, params, point) => {
    const refused = { code: "KEY_UNAVAILABLE", details: { reason: "not-ed25519" } };
    expect(await errorOf(() => readEd25519(token(keyType, params, point), handle))).toMatchObject(refused);
  });

  it("is judged by its type and curve alone where it is private", async () => {
    assertEd25519(token(EDWARDS, OBJECT_IDENTIFIER, ""), handle);
    expect((await errorOf(() => { assertEd25519(token(EDWARDS, "06032b6571", ""), handle); })).details["reason"]).toBe("not-ed25519");
  });
});
