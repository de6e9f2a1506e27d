import { ECDH, createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withDirectory } from "../../test/support/fixtures.js";
import { bundleOf, encoded, modelStatement, signModel, signPayload } from "../../test/support/model-bundle.js";
import type { ModelStatement } from "../../test/support/model-bundle.js";
import { itWithTool, runTool } from "../../test/support/tool.js";
import { SealError } from "../seal-error.js";
import { verifyModelSignature } from "./model-signature.js";

const files = { "config.json": Buffer.from("{}"), "model.safetensors": Buffer.alloc(5000, 7), "sub/x": Buffer.from("x") };
const digests = new Map(Object.entries(files).map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]));

function refusalOf(bundle: unknown, publicKey: unknown): SealError {
  try {
    verifyModelSignature(bundle as string, { publicKey: publicKey as string });
  } catch (error) {
    if (error instanceof SealError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

describe("a model signature", () => {
  it.each(["P-256", "P-384"] as const)("of a %s key says who vouched for which files", (curve) => {
    const { bundle, publicKey } = signModel(files, undefined, curve);
    const key = createPublicKey(publicKey);
    const fingerprint = createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("hex");
    for (const [given, by] of [[bundle, publicKey], [Buffer.from(bundle), key]] as const) {
      const { identity, files: signed } = verifyModelSignature(given, { publicKey: by });
      expect(identity).toBe(`model-signing:sha256:${fingerprint}`);
      expect(signed).toEqual(digests);
    }
  });

  itWithTool("openssl")("that the openssl command made is accepted", async () => {
    await withDirectory(async (folder) => {
      const [key, pae, signature] = ["key.pem", "pae", "signature"].map((name) => join(folder, name)) as [string, string, string];
      runTool("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key]);
      const payload = Buffer.from(JSON.stringify(modelStatement(files), undefined, 2));
      await writeFile(pae, encoded(payload));
      runTool("openssl", ["dgst", "-sha256", "-sign", key, "-out", signature, pae]);
      const publicKey = runTool("openssl", ["pkey", "-in", key, "-pubout"]).toString();
      expect(verifyModelSignature(bundleOf(payload, await readFile(signature)), { publicKey }).files).toEqual(digests);
    });
  });

  it.each([
    ["by an older library", (text: string) => text.replace(".v0.3+json", "+json;version=0.1").replace('"keyid":""', '"keyid":null')],
    ["without a key id, and with a field more", (text: string) => text.replace(',"keyid":""', ',"extra":1')],
    ["as long as any may be", (text: string) => text.padEnd(16 * 1024 * 1024)],
  ])("%s is accepted", (_, change) => {
    const { bundle, publicKey } = signModel(files);
    expect(change(bundle)).not.toBe(bundle);
    expect(verifyModelSignature(change(bundle), { publicKey }).files).toEqual(digests);
  });

  it("whose statement has fields more is accepted", () => {
    const { bundle, publicKey } = signModel(files, (statement) => Object.assign(statement, { extra: 1 }));
    expect(verifyModelSignature(bundle, { publicKey }).files).toEqual(digests);
  });

  it.each([
    ["part by part, as the reference implementation does", ["onnx/m", "onnx-fp16/m", "unet", "unet/x", "unet.json"]],
    ["by code points, as the specification says", ["onnx-fp16/m", "onnx/m", "unet", "unet.json", "unet/x", "\u{ffff}", "\u{10000}"]],
    ["of a model that is one file", ["."]],
  ])("that names its files %s is accepted", (_, names) => {
    const { bundle, publicKey } = signModel(Object.fromEntries(names.map((name) => [name, Buffer.from(name)])));
    expect([...verifyModelSignature(bundle, { publicKey }).files.keys()]).toEqual(names);
  });

  it("has one identity for a key, however its PEM spells it", () => {
    const { bundle, publicKey } = signModel(files);
    const { x = "", y = "" } = createPublicKey(publicKey).export({ format: "jwk" });
    const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    const compressed = ECDH.convertKey(point, "prime256v1", undefined, undefined, "compressed") as Buffer;
    const prefix = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");
    const pem = `-----BEGIN PUBLIC KEY-----\n${Buffer.concat([prefix, compressed]).toString("base64")}\n-----END PUBLIC KEY-----\n`;
    expect(verifyModelSignature(bundle, { publicKey: pem })).toEqual(verifyModelSignature(bundle, { publicKey }));
  });

  it("with one byte edited anywhere is refused, or says the same", () => {
    const { bundle, publicKey } = signModel(files);
    const bytes = Buffer.from(bundle);
    let refused = 0;
    for (let run = 0; run < 1000; run += 1) {
      const edited = Buffer.from(bytes);
      const at = Math.floor(Math.random() * bytes.length);
      edited.writeUInt8(edited.readUInt8(at) ^ (1 << run % 8), at);
      try {
        expect(verifyModelSignature(edited, { publicKey }).files).toEqual(digests);
      } catch (error) {
        expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "expect" } });
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(700);
  });

  it("of another key is refused", () => {
    const { bundle } = signModel(files);
    for (const curve of ["P-256", "P-384"] as const) {
      expect(refusalOf(bundle, signModel(files, undefined, curve).publicKey)).toMatchObject({
        code: "INTEGRITY_VIOLATION",
        message: "the model signature is not the given key's",
        details: { step: "signature" },
      });
    }
  });

  const resource = ({ predicate }: ModelStatement, index: number): Record<string, unknown> => predicate.resources[index] ?? {};
  it.each<[string, (statement: ModelStatement) => void, string]>([
    ["whose files are re-ordered", ({ predicate }) => predicate.resources.reverse(), "resources must be in the order of their names, each once"],
    ["with a file twice", ({ predicate }) => predicate.resources.splice(1, 0, { ...predicate.resources[0] }), "resources must be in the order of their names, each once"],
    ["with another root", (all) => (all.subject = [{ name: "x", digest: { sha256: "0".repeat(64) } }]), "subject must have the root digest of the resources"],
    ["with another file's digest", (all) => void (resource(all, 0)["digest"] = "0".repeat(64)), "subject must have the root digest of the resources"],
    ["of one file and another", ({ predicate }) => predicate.resources.unshift({ ...predicate.resources[0], name: "." }), 'resources must name "." alone'],
    ["with a file before its folder", ({ predicate }) => (predicate.resources = [{ ...predicate.resources[0], name: "a/b" }, { ...predicate.resources[0], name: "a" }]), "resources must be in the order of their names, each once"],
    ["with a path of dots", (all) => (resource(all, 2)["name"] = "sub/./x"), "predicate must have resources have name be a path in the model"],
    ["with a path above the model", (all) => void (resource(all, 2)["name"] = "sub/../../x"), "predicate must have resources have name be a path in the model"],
    ["with an absolute path", (all) => void (resource(all, 0)["name"] = "/etc/x"), "predicate must have resources have name be a path in the model"],
    ["with a control character in a name", (all) => void (resource(all, 0)["name"] = "a\nb"), "predicate must have resources have name contain no control or bidirectional control character"],
    ["without files", ({ predicate }) => predicate.resources.splice(0), "predicate must have resources be a list of at least one"],
    ["in pieces", ({ predicate }) => void (predicate.serialization["method"] = "shards"), 'predicate must have serialization have method be one of ["files"]'],
    ["of another hash", ({ predicate }) => void (predicate.serialization["hash_type"] = "blake3"), 'predicate must have serialization have hash_type be one of ["sha256"]'],
    ["with a file of another hash", (all) => void (resource(all, 0)["algorithm"] = "sha512"), 'predicate must have resources have algorithm be one of ["sha256"]'],
    ["with two subjects", ({ subject }) => subject.push({ name: "x", digest: { sha256: "0".repeat(64) } }), "subject must be a list of one"],
    ["of another type", (all) => void (all._type = "https://in-toto.io/Statement/v0.1"), '_type must be one of ["https://in-toto.io/Statement/v1"]'],
    ["of another predicate", (all) => void (all.predicateType = "https://model_signing/Digests/v0.1"), 'predicateType must be one of ["https://model_signing/signature/v1.0"]'],
  ])("%s is refused, though signed", (_, change, said) => {
    const { bundle, publicKey } = signModel(files, change);
    const error = refusalOf(bundle, publicKey);
    expect(error).toMatchObject({ code: "INTEGRITY_VIOLATION", details: { reason: "expect", step: "statement" } });
    expect(error.message).toBe(`the signed statement is malformed: ${said}`);
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    ["null", Buffer.from("null")],
    ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ])("over %s is refused", (_, payload) => {
    const { bundle, publicKey } = signPayload(payload);
    expect(refusalOf(bundle, publicKey)).toMatchObject({
      code: "INTEGRITY_VIOLATION",
      message: "the signed statement is malformed: statement must be an object",
      details: { step: "statement" },
    });
  });

  const { bundle, publicKey } = signModel(files);
  it.each([
    ["empty", ""],
    ["null", "null"],
    ["of another kind", bundle.replace("sigstore.bundle", "other.bundle")],
    ["without an envelope", bundle.replace("dsseEnvelope", "messageSignature")],
    ["of another payload type", bundle.replace("in-toto+json", "other+json")],
    ["with two signatures", bundle.replace('"signatures":[', '"signatures":[{"sig":""},')],
    ["without a signature", bundle.replace(/"signatures":\[.*\]/, '"signatures":[]')],
    ["with a stray space in base64", bundle.replace('"payload":"', '"payload":" ')],
    ["with a number as its payload", bundle.replace(/"payload":"[^"]*"/, '"payload":5')],
    ["with a number as its signature", bundle.replace(/"sig":"[^"]*"/, '"sig":5')],
    ["longer than any", bundle.padEnd(16 * 1024 * 1024 + 1)],
  ])("%s is refused by its form", (_, changed) => {
    expect(changed).not.toBe(bundle);
    expect(refusalOf(changed, publicKey)).toMatchObject({
      code: "INTEGRITY_VIOLATION",
      message: "the model signature is not a Sigstore bundle with one signed in-toto statement",
      details: { step: "shape" },
    });
  });

  it.each([
    ["an Ed25519 key", generateKeyPairSync("ed25519").publicKey],
    ["a private key", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey],
    ["a P-521 key", generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey],
    ["the PEM of a private key", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" })],
    ["no PEM", "key"],
    ["a damaged PEM", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
    ["nothing", undefined],
  ])("with %s as the public key: the argument is named", (_, key) => {
    expect(refusalOf(bundle, key)).toMatchObject({
      code: "INVALID_INPUT",
      message: "publicKey must be a P-256 or P-384 public key, as a KeyObject or in PEM",
      details: { argument: "publicKey" },
    });
  });

  it("that is a number: the argument is named", () => {
    expect(refusalOf(5, publicKey)).toMatchObject({ code: "INVALID_INPUT", message: "bundle must be text or its bytes" });
  });
});
