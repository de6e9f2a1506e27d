import { createHash } from "node:crypto";
import { describe, expect } from "vitest";
import { itWithTool, runTool } from "./support/tool.js";
import { type KeyVector, sealVectors } from "./support/vectors.js";

const itWithOpenssl = itWithTool("openssl");
const { keys, valid } = sealVectors;

describe("CI-005 test_key_derivation the vectors agree with the openssl command", () => {
  itWithOpenssl("root key of the token", () => {
    expect(hkdf(Buffer.from(keys.token.text), "root")).toBe(keys.token.rootKey);
  });

  itWithOpenssl.each([keys, keys.token])("key id $keyId and its MAC keys", ({ rootKey, keyId, macKeys }: KeyVector) => {
    const label = Buffer.from("vram-seal/key-id/v1\0");
    const named = Buffer.concat([label, Buffer.from(hmac(rootKey, Buffer.from("key-id")), "hex")]);
    expect(createHash("sha256").update(named).digest("hex").slice(0, 16)).toBe(keyId);
    for (const { instanceId, macKey } of macKeys) {
      expect(hkdf(Buffer.from(rootKey, "hex"), `seal\0${instanceId}`)).toBe(macKey);
    }
  });
});

describe("CI-001 test_seal_signature the vectors agree with the openssl command", () => {
  itWithOpenssl.each(valid)("MAC of $name", ({ instanceId, bytes, seal }) => {
    const macKey = keys.macKeys.find((each) => each.instanceId === instanceId)?.macKey ?? "";
    const { length } = Buffer.from(bytes);
    const mac = hmac(macKey, Buffer.from(`DSSEv1 33 application/vnd.vram-seal.v1+json ${length} ${bytes}`));
    expect(mac).toBe(Buffer.from(seal.mac, "base64").toString("hex"));
  });
});

function hkdf(key: Buffer, info: string): string {
  const options = { digest: "SHA256", hexkey: key.toString("hex"), hexsalt: hex("vram-seal/v1"), hexinfo: hex(info) };
  const parameters = Object.entries(options).flatMap(([name, value]) => ["-kdfopt", `${name}:${value}`]);
  return runTool("openssl", ["kdf", "-binary", "-keylen", "32", ...parameters, "HKDF"]).toString("hex");
}

function hmac(hexKey: string, message: Buffer): string {
  return runTool("openssl", ["dgst", "-sha256", "-mac", "HMAC", "-macopt", `hexkey:${hexKey}`, "-binary"], message).toString("hex");
}

function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}
