import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** The parts of a signed model that a test may change before it is signed. */
export interface ModelStatement {
  _type: string;
  predicateType: string;
  subject: { name: string; digest: { sha256: string } }[];
  predicate: {
    serialization: Record<string, unknown>;
    resources: Record<string, unknown>[];
  };
}

export interface SignedModel {
  readonly bundle: string;
  /** SubjectPublicKeyInfo in PEM. */
  readonly publicKey: string;
}

const TYPE = "application/vnd.in-toto+json";
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The statement that a signer of these files makes (OpenSSF Model Signing v1.1). */
export function modelStatement(files: Readonly<Record<string, Uint8Array>>): ModelStatement {
  const resources = Object.entries(files).map(([name, bytes]) => ({ name, digest: sha256(bytes), algorithm: "sha256" }));
  const root = sha256(Buffer.from(resources.map(({ digest }) => digest).join(""), "hex"));
  const serialization = { method: "files", hash_type: "sha256", allow_symlinks: false, ignore_paths: [".git"] };
  return {
    ...{ _type: "https://in-toto.io/Statement/v1", predicateType: "https://model_signing/signature/v1.0" },
    ...{ subject: [{ name: "model", digest: { sha256: root } }], predicate: { serialization, resources } },
  };
}

/** DSSE's pre-authentication encoding of a payload. */
export const encoded = (payload: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `), payload]);

/** The bundle around a payload and its signature. */
export function bundleOf(payload: Uint8Array, signature: Uint8Array): string {
  const [text, sig] = [payload, signature].map((bytes) => Buffer.from(bytes).toString("base64"));
  return JSON.stringify({
    ...{ mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json" },
    ...{ verificationMaterial: { publicKey: { hint: "0".repeat(64) }, tlogEntries: [] } },
    ...{ dsseEnvelope: { payload: text, payloadType: TYPE, signatures: [{ sig, keyid: "" }] } },
  });
}

/** Signs a payload with a new key of the curve. */
export function signPayload(payload: Uint8Array, curve: "P-256" | "P-384" = "P-256"): SignedModel {
  const pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } = generateKeyPairSync("ec", { namedCurve: curve });
  const signature = sign(curve === "P-256" ? "sha256" : "sha384", encoded(payload), pair.privateKey);
  return { bundle: bundleOf(payload, signature), publicKey: pair.publicKey.export({ type: "spki", format: "pem" }).toString() };
}

/** Signs the files' statement, after a change to it, with a new key of the curve. */
export function signModel(files: Readonly<Record<string, Uint8Array>>, change: (statement: ModelStatement) => void = () => undefined, curve: "P-256" | "P-384" = "P-256"): SignedModel {
  const statement = modelStatement(files);
  change(statement);
  return signPayload(Buffer.from(JSON.stringify(statement)), curve);
}
