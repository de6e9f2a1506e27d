import { generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createAttestation, fromAttestationPkcs11, fromPkcs11, verifyAttestation } from "../src/index.js";
import type { AttestationKey, AttestationStatement, Pkcs11KeyOptions } from "../src/index.js";
import { INSTANCE, errorOf, failureOf, withDirectory, writeWithMode } from "./support/fixtures.js";
import { PIN, itWithHsm, pkcs11, startHsm } from "./support/hsm.js";
import { opensslVerdict } from "./support/openssl.js";
import { runTool } from "./support/tool.js";

const vectors = JSON.parse(readFileSync(new URL("vectors/attestation-v1.json", import.meta.url), "utf8")) as { nonce: string; nowMs: number; statement: AttestationStatement };
const statement = { ...vectors.statement, predicate: { ...vectors.statement.predicate, signingKey: "pkcs11" as const } };
const verifying = { nonce: Buffer.from(vectors.nonce, "hex"), nowMs: vectors.nowMs };
const pair = (publicLabel: string, privateLabel = publicLabel, curve: "ed25519" | "ed448" | "P-256" = "ed25519") => ({ curve, publicLabel, privateLabel });

let token: ReturnType<typeof startHsm> | undefined;

beforeAll(() => {
  if (itWithHsm === it) token = startHsm("test");
  token?.addKeyPairs(pair("attestation"), pair("ed448", "ed448", "ed448"), pair("P-256", "P-256", "P-256"));
  token?.addKeyPairs(pair("twin"), pair("twin"), pair("twins"), pair("twins", "private"), pair("liar", "other"), pair("another", "liar"));
  token?.addKeyPairs(pair("mixed", "third"), pair("fourth", "mixed", "P-256"));
});
afterAll(() => token?.remove());

const options = (more: Partial<Record<keyof Pkcs11KeyOptions, unknown>> = {}): Pkcs11KeyOptions =>
  ({ library: token?.library ?? "", token: "test", pin: PIN, key: "attestation", module: pkcs11(), ...more }) as Pkcs11KeyOptions;

async function open(more: Partial<Record<keyof Pkcs11KeyOptions, unknown>> = {}): Promise<AttestationKey> {
  const key = await fromAttestationPkcs11(options(more));
  onTestFinished(() => key.close());
  return key;
}

/** The guide's commands for SoftHSM but for the installation. */
function guideCommands(): string {
  const guide = readFileSync(new URL("../../../docs/guide/keys.md", import.meta.url), "utf8");
  const blocks = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands ?? "");
  return blocks.filter((commands) => commands.includes("libsofthsm2.so")).join("").replace(/^apt-get .*$/m, "");
}

describe("VP-006 an attestation key in a token of PKCS #11", () => {
  itWithHsm("signs an attestation that verifies like one of a file, here and with openssl", async () => {
    const key = await open();
    expect(key.origin).toBe("pkcs11");
    const envelope = await createAttestation(statement, key);
    const { publicKey } = await open();
    expect(verifyAttestation(envelope, { ...verifying, publicKey })).toEqual(statement);
    expect(await opensslVerdict(envelope, publicKey)).toContain("Signature Verified Successfully");
  });

  itWithHsm("may have been made elsewhere: the token then writes it in another form", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    await withDirectory(async (directory) => {
      const path = join(directory, "key.pem");
      await writeWithMode(path, Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })), 0o600);
      runTool("softhsm2-util", ["--import", path, "--token", "test", "--label", "imported", "--id", "01", "--pin", PIN]);
    });
    const key = await open({ key: "imported" });
    expect(key.publicKey).toBe(publicKey.export({ type: "spki", format: "pem" }));
    const message = randomBytes(1_000_000);
    expect(verify(null, message, publicKey, await key.sign(message))).toBe(true);
  });

  itWithHsm("is made by the guide's commands, beside a seal key in the same token", async () => {
    runTool("sh", ["-ec", guideCommands()]);
    const key = await open({ token: "vram" });
    const sealKey = await fromPkcs11({ ...options({ token: "vram", key: "seal" }), mode: "direct" });
    expect(sealKey.locked).toBe(true);
    expect(verifyAttestation(await createAttestation(statement, key), { ...verifying, publicKey: key.publicKey })).toEqual(statement);
    await key.close();
    expect(await sealKey.mac(INSTANCE, Buffer.alloc(1))).toHaveLength(32);
    await sealKey.close();
  });

  itWithHsm("takes many signatures at once, one after another", async () => {
    const key = await open();
    const messages = Array.from({ length: 50 }, (_, index) => Buffer.from(`message ${index}`));
    const signatures = await Promise.all(messages.map((message) => key.sign(message)));
    expect(messages.every((message, index) => verify(null, message, key.publicKey, signatures[index] ?? Buffer.alloc(0)))).toBe(true);
  });

  itWithHsm("is KEY_UNAVAILABLE once it is closed, and closing waits for what runs", async () => {
    const key = await open();
    const running = key.sign(Buffer.from("last"));
    await Promise.all([key.close(), key.close()]);
    expect(await running).toHaveLength(64);
    expect(await failureOf(() => key.sign(Buffer.alloc(1)))).toEqual({ code: "KEY_UNAVAILABLE", reason: "closed" });
  });

  itWithHsm("shows its name and nothing else", async () => {
    const key = await open();
    expect(inspect(key, { showHidden: true, depth: 9 })).toBe(`AttestationKey { keyId: '${key.keyId}', origin: 'pkcs11' }`);
    expect(Object.keys(JSON.parse(JSON.stringify(key)) as object)).toEqual(["publicKey", "keyId", "origin"]);
  });

  itWithHsm.each([
    ["a wrong PIN", { pin: "9999" }, { reason: "wrong-pin", result: "CKR_PIN_INCORRECT" }],
    ["a token of another label", { token: "absent" }, { reason: "no-token" }],
    ["a private key that is not there", { key: "another" }, { reason: "no-key" }],
    ["a public key that is not there", { key: "private" }, { reason: "no-key" }],
    ["a private key of which there are two", { key: "twin" }, { reason: "ambiguous-key" }],
    ["a public key of which there are two", { key: "twins" }, { reason: "ambiguous-key" }],
    ["a key of the curve P-256", { key: "P-256" }, { reason: "not-ed25519" }],
    ["a private key of the curve P-256", { key: "mixed" }, { reason: "not-ed25519" }],
    ["a key of the curve Ed448", { key: "ed448" }, { reason: "not-ed25519" }],
  ])("KEY_UNAVAILABLE for %s, without an echo", async (_, more, details) => {
    const error = await errorOf(() => fromAttestationPkcs11(options(more)));
    expect(error).toMatchObject({ code: "KEY_UNAVAILABLE", details });
    expect(inspect(error, { depth: 9 }).replaceAll(/^ {4}at .*$/gm, "")).not.toMatch(/9999|another|twin|softhsm/);
    // A session left behind would let any PIN in.
    expect(await failureOf(() => open({ pin: "9999" }))).toEqual({ code: "KEY_UNAVAILABLE", reason: "wrong-pin" });
    expect(await (await open()).sign(Buffer.alloc(1))).toHaveLength(64);
  });

  itWithHsm("is none where the public key does not verify what the private one signs", async () => {
    expect(await errorOf(() => open({ key: "liar" }))).toMatchObject({
      code: "KEY_UNAVAILABLE",
      message: "the token's signature is not one of its public key",
      details: { reason: "wrong-signature" },
    });
  });
});

describe("VP-006 a token that is pulled out", () => {
  itWithHsm("is KEY_UNAVAILABLE in the middle: no attestation, no crash", async () => {
    const key = await open();
    await createAttestation(statement, key);
    token?.pull();
    expect(await failureOf(() => createAttestation(statement, key))).toEqual({ code: "KEY_UNAVAILABLE", reason: "token" });
    await key.close();
  });
});
