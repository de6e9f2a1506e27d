import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalize, preAuthEncoding } from "../index.js";
import { errorOf, withDirectory, withPollution, writeWithMode } from "../../test/support/fixtures.js";
import { opensslVerdict } from "../../test/support/openssl.js";
import { itWithTool } from "../../test/support/tool.js";
import { fromAttestationKeyFile, generateAttestationKey, localAttestationKey } from "./attestation-key.js";
import type { AttestationStatement } from "./attestation-statement.js";
import { createAttestation } from "./create-attestation.js";
import { verifyAttestation, type VerifyAttestationOptions } from "./verify-attestation.js";

interface Vectors {
  readonly seed: string;
  readonly publicKey: string;
  readonly keyId: string;
  readonly nonce: string;
  readonly nowMs: number;
  readonly statement: AttestationStatement;
  readonly envelope: string;
}
const vectors = JSON.parse(readFileSync(new URL("../../test/vectors/attestation-v1.json", import.meta.url), "utf8")) as Vectors;
const { envelope, statement, publicKey, nowMs } = vectors;
const nonce = Buffer.from(vectors.nonce, "hex");
const options: VerifyAttestationOptions = { publicKey, nonce, nowMs };
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, Buffer.from(vectors.seed, "hex")]), format: "der", type: "pkcs8" });
const key = localAttestationKey(privateKey, "file");

async function reasonOf(text: string | Uint8Array, changes: Partial<VerifyAttestationOptions> = {}): Promise<unknown> {
  const { code, details } = await errorOf(() => verifyAttestation(text, { ...options, ...changes }));
  expect(code).toBe("SEAL_VERIFICATION_FAILED");
  return details["reason"];
}

/** What whoever has the signing key can sign: any bytes, as they are. */
function signedBytes(payload: Buffer, by: KeyObject = privateKey, keyid = vectors.keyId): string {
  const sig = sign(null, preAuthEncoding("application/vnd.in-toto+json", payload), by).toString("base64");
  return canonicalize({ payload: payload.toString("base64"), payloadType: "application/vnd.in-toto+json", signatures: [{ keyid, sig }] });
}

function signed(change: (predicate: Record<string, unknown>, whole: Record<string, unknown>) => void): string {
  const whole = structuredClone(statement) as unknown as Record<string, unknown>;
  change(whole["predicate"] as Record<string, unknown>, whole);
  return signedBytes(Buffer.from(canonicalize(whole)));
}

describe("VP-006 test_attestation", () => {
  it("VP-006 PB-5 test_attestation signs the vector's statement to its very bytes, and verifies it", async () => {
    expect(await createAttestation(statement, key)).toBe(envelope);
    expect(verifyAttestation(envelope, options)).toEqual(statement);
    expect(verifyAttestation(Buffer.from(envelope), { ...options, publicKey: createPublicKey(publicKey) })).toEqual(statement);
    expect([key.publicKey, key.keyId]).toEqual([publicKey, vectors.keyId]);
  });

  itWithTool("openssl")("VP-006 test_attestation the signature is one that openssl verifies, as the specification says", async () => {
    expect(await opensslVerdict(envelope, publicKey)).toContain("Signature Verified Successfully");
  });

  it("VP-006 test_attestation every edit of one byte is refused", async () => {
    const bytes = Buffer.from(envelope);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const edited = Buffer.from(bytes);
        edited.writeUInt8(edited.readUInt8(at) ^ change, at);
        expect(await reasonOf(edited)).toMatch(/^(shape|key|signature)$/);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["a blank", ` ${envelope}`],
    ["a newline at its end", `${envelope}\n`],
    ["fields in another order", JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(envelope) as object).reverse()))],
    ["a surplus field", canonicalize({ ...(JSON.parse(envelope) as object), more: 1 })],
    ["no signature", canonicalize({ ...(JSON.parse(envelope) as object), signatures: [] })],
    ["another type", envelope.replace("in-toto+json", "in-toto+jso0")],
    ["nothing", ""],
    ["null", "null"],
    ["17 MiB", "a".repeat(17 << 20)],
  ])("VP-006 test_attestation an envelope with %s is refused by its shape", async (_, text) => {
    expect(await reasonOf(text)).toBe("shape");
  });

  it("VP-006 test_attestation another key is refused, also one that claims the right key's id", async () => {
    const other = generateKeyPairSync("ed25519");
    expect(await reasonOf(envelope, { publicKey: other.publicKey })).toBe("key");
    expect(await reasonOf(signedBytes(Buffer.from(canonicalize(statement)), other.privateKey))).toBe("signature");
  });

  it.each<[string, (predicate: Record<string, unknown>, whole: Record<string, unknown>) => void]>([
    ["another type", (_, whole) => { whole["_type"] = "https://in-toto.io/Statement/v0.1"; }],
    ["a surplus field", (predicate) => { predicate["more"] = 1; }],
    ["a field less", (predicate) => { delete predicate["auditHead"]; }],
    ["no shards", (predicate, whole) => { predicate["shards"] = []; whole["subject"] = []; }],
    ["a subject that is no shard", (_, whole) => { (whole["subject"] as { name: string }[])[0] = { ...statement.subject[0], name: "other" }; }],
    ["a shard twice", (predicate, whole) => { whole["subject"] = [statement.subject[0], statement.subject[0]]; predicate["shards"] = [statement.predicate.shards[0], statement.predicate.shards[0]]; }],
    ["a shard verified before the request", (predicate) => { predicate["requestedAt"] = "2001-02-03T04:05:06.600Z"; }],
    ["a shard verified after the signature", (predicate) => { predicate["attestedAt"] = "2001-02-03T04:05:06.400Z"; }],
    ["a huge number", (predicate) => { (predicate["auditHead"] as { size: number }).size = 2 ** 53; }],
    ["a subject without the digest", (_, whole) => { (whole["subject"] as { digest: object }[])[0] = { name: "llama-0", digest: { sha256: "0".repeat(64) } } as never; }],
  ])("VP-006 test_attestation a signed statement of %s is refused", async (_, change) => {
    expect(await reasonOf(signed(change))).toBe("statement");
  });

  it("VP-006 test_attestation a signed statement that names a key twice, or is not canonical, is refused", async () => {
    const text = canonicalize(statement);
    for (const payload of [text.replace("{", '{"_type":"x",'), `${text} `, text.replace('"size":5', '"size":5.0')]) {
      expect(payload).not.toBe(text);
      expect(await reasonOf(signedBytes(Buffer.from(payload)))).toBe("statement");
    }
  });

  it("VP-006 test_attestation another nonce, an old one, one of the future are refused", async () => {
    expect(await reasonOf(envelope, { nonce: Buffer.alloc(16) })).toBe("nonce");
    expect(await reasonOf(envelope, { nonce: Buffer.concat([nonce, Buffer.alloc(1)]) })).toBe("nonce");
    expect(await reasonOf(envelope, { maxAgeMs: 59_000, nowMs: Date.parse("2001-02-03T04:06:06.000Z") })).toBe("age");
    expect(await reasonOf(envelope, { nowMs: Date.parse("2001-02-03T04:05:01.000Z") })).toBe("age");
    expect(verifyAttestation(envelope, { ...options, maxAgeMs: 60_000, nowMs: Date.parse("2001-02-03T04:06:06.000Z") })).toEqual(statement);
  });

  it("VP-006 PB-5 test_policy_attestation a violated rule, a backend, or a process's own key are refused unless allowed", async () => {
    expect(await reasonOf(signed((predicate) => { predicate["policy"] = [{ rule: "no-peer-access", verdict: "violated" }]; }))).toBe("policy");
    const simulated = signed((predicate) => { predicate["device"] = { ...statement.predicate.device, backend: "simulator" }; });
    expect(await reasonOf(simulated)).toBe("backend");
    expect(verifyAttestation(simulated, { ...options, allowBackends: ["simulator"] }).predicate.device.backend).toBe("simulator");
    const own = signed((predicate) => { predicate["signingKey"] = "process"; });
    expect(await reasonOf(own)).toBe("process-key");
    expect(verifyAttestation(own, { ...options, allowProcessKey: true }).predicate.signingKey).toBe("process");
    const ofToken = signed((predicate) => { predicate["signingKey"] = "pkcs11"; });
    expect(verifyAttestation(ofToken, options).predicate.signingKey).toBe("pkcs11");
  });

  it.each<[string, object]>([
    ["publicKey", { publicKey: "none" }],
    ["publicKey", { publicKey: privateKey }],
    ["publicKey", { publicKey: generateKeyPairSync("x25519").publicKey }],
    ["nonce", { nonce: Buffer.alloc(15) }],
    ["nonce", { nonce: Buffer.alloc(65) }],
    ["nonce", { nonce: "text" }],
    ["maxAgeMs", { maxAgeMs: Number.NaN }],
    ["nowMs", { nowMs: Number.POSITIVE_INFINITY }],
    ["allowProcessKey", { allowProcessKey: "false" }],
  ])("VP-006 a bad %s never lets one pass", async (argument, change) => {
    const error = await errorOf(() => verifyAttestation(envelope, { ...options, ...change }));
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { argument } });
  });

  it("VP-006 a field that is only inherited does not count", async () => {
    const less = signed((predicate) => { delete predicate["auditHead"]; });
    const pending = withPollution("auditHead", statement.predicate.auditHead, () => verifyAttestation(less, options));
    expect((await errorOf(() => Promise.reject(pending as Error))).details["reason"]).toBe("statement");
  });
});

describe("the attestation key", () => {
  it("VP-006 from a file signs until it is closed, and shows nothing of itself", async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, "attestation.pem");
      await writeWithMode(path, Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })), 0o600);
      const read = await fromAttestationKeyFile(path);
      expect(await createAttestation(statement, read)).toBe(envelope);
      expect(inspect(read, { showHidden: true, depth: Infinity }) + JSON.stringify(read)).not.toContain("PRIVATE");
      expect(inspect(read)).toBe(`AttestationKey { keyId: '${read.keyId}', origin: 'file' }`);
      await read.close();
      expect((await errorOf(() => createAttestation(statement, read))).code).toBe("KEY_UNAVAILABLE");
    });
  });

  it.each<[string, Buffer, number]>([
    ["not-ed25519", Buffer.from("text"), 0o600],
    ["not-ed25519", Buffer.from(generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" })), 0o600],
    ["not-ed25519", Buffer.alloc(0), 0o600],
    ["not-ed25519", Buffer.alloc(4097), 0o600],
    ["permissive-mode", Buffer.from("text"), 0o640],
  ])("VP-006 a file is refused as %s", async (reason, bytes, mode) => {
    await withDirectory(async (directory) => {
      const path = join(directory, "key");
      await writeWithMode(path, bytes, mode);
      expect(await errorOf(() => fromAttestationKeyFile(path))).toMatchObject({ code: "INVALID_INPUT", details: { reason, file: "key" } });
    });
  });

  it("VP-006 a statement cannot claim another origin than the key's, nor fields out of range", async () => {
    const own = generateAttestationKey();
    expect((await errorOf(() => createAttestation(statement, own))).details["argument"]).toBe("signingKey");
    const bad = { ...statement, predicate: { ...statement.predicate, workerId: "" } };
    expect((await errorOf(() => createAttestation(bad, key))).code).toBe("INVALID_INPUT");
  });
});
