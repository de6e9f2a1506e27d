import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { types } from "node:util";
import { digestProblem, textProblem } from "vram-text";
import { ATTESTATION_TYPE, STATEMENT_TYPE } from "../attestation/attestation-statement.js";
import { decodeBase64 } from "../encoding/base64.js";
import { preAuthEncoding } from "../encoding/pre-auth-encoding.js";
import type { FieldProblem, Rule, Rules } from "../encoding/record-rules.js";
import { listOf, matching, nested, oneOf, recordProblem } from "../encoding/record-rules.js";
import { publicKeyId, readPublicKey } from "../keys/public-key.js";
import { invalidInput, SealError } from "../seal-error.js";

/** The step that refused a model signature. */
export type ModelSignatureRefusal = "shape" | "signature" | "statement";

/** What a model signature is checked against. */
export interface VerifyModelSignatureOptions {
  /** The signer's public key, known from elsewhere: P-256 or P-384, a KeyObject or SubjectPublicKeyInfo in PEM. */
  readonly publicKey: KeyObject | string;
}

/** What a signer vouched for. */
export interface ModelSignature {
  /** Who: `model-signing:sha256:` and the SHA-256 of the key's SubjectPublicKeyInfo in DER, in hexadecimal. */
  readonly identity: string;
  /** SHA-256 of each file by its path in the model, `/` between its parts, or of the one file `.` that is the model; 64 lowercase hexadecimal characters. */
  readonly files: ReadonlyMap<string, string>;
}

const BUNDLE_MAX_BYTES = 16 * 1024 * 1024;
/** The hash that a key of each curve signs with. */
const HASHES = new Map([
  ["prime256v1", "sha256"],
  ["secp384r1", "sha384"],
]);

interface Bundle {
  readonly mediaType: string;
  readonly dsseEnvelope: { readonly payload: string; readonly payloadType: string; readonly signatures: readonly { readonly sig: string }[] };
}
interface Resource {
  readonly name: string;
  readonly digest: string;
  readonly algorithm: string;
}
interface Statement {
  readonly _type: string;
  readonly predicateType: string;
  readonly subject: readonly { readonly digest: { readonly sha256: string } }[];
  readonly predicate: { readonly serialization: { readonly method: string; readonly hash_type: string }; readonly resources: readonly Resource[] };
}

/** A record of others' making, which may have more fields than these. */
const open =
  <T>(name: string, rules: Rules<T>): Rule =>
  (value) =>
    nested(recordProblem(name, value, rules, "open"));
const one =
  (rule: Rule): Rule =>
  (value) =>
    Array.isArray(value) && value.length === 1 ? rule(value[0]) : "be a list of one";
const string: Rule = (value) => (typeof value === "string" ? undefined : "be a string");

/** The path of a model that is one file and no folder, as the signer of one names it. */
export const MODEL_OF_ONE_FILE = ".";

/** A path that stays within the model: no empty, "." or ".." part. */
const resourceName: Rule = (value) =>
  textProblem(value) ?? (value !== MODEL_OF_ONE_FILE && String(value).split("/").some((part) => part === "" || part === "." || part === "..") ? "be a path in the model" : undefined);

const BUNDLE: Rules<Bundle> = {
  mediaType: matching(/^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.3\+json|\+json;version=0\.[1-3])$/, "be that of a Sigstore bundle"),
  dsseEnvelope: open<Bundle["dsseEnvelope"]>("dsseEnvelope", {
    payload: string,
    payloadType: oneOf(ATTESTATION_TYPE),
    signatures: one(open<Bundle["dsseEnvelope"]["signatures"][number]>("signature", { sig: string })),
  }),
};
const STATEMENT: Rules<Statement> = {
  _type: oneOf(STATEMENT_TYPE),
  predicateType: oneOf("https://model_signing/signature/v1.0"),
  subject: one(open<Statement["subject"][number]>("subject", { digest: open<{ readonly sha256: string }>("digest", { sha256: digestProblem }) })),
  predicate: open<Statement["predicate"]>("predicate", {
    serialization: open<Statement["predicate"]["serialization"]>("serialization", { method: oneOf("files"), hash_type: oneOf("sha256") }),
    resources: listOf(open<Resource>("resource", { name: resourceName, digest: digestProblem, algorithm: oneOf("sha256") })),
  }),
};

/**
 * Verifies an OpenSSF Model Signing bundle, untrusted bytes, made with a key: its form, the ECDSA signature over the payload as
 * received, the statement, the order of its files and the root digest over theirs. Files that were signed in pieces
 * ("shards") and other hashes than SHA-256 are refused. Says nothing yet about any file: compare its SHA-256.
 *
 * @throws SealError `INTEGRITY_VIOLATION` with `details.step`, a `ModelSignatureRefusal`; `INVALID_INPUT` for an argument
 */
export function verifyModelSignature(bundle: string | Uint8Array, options: VerifyModelSignatureOptions): ModelSignature {
  const key = readPublicKey(options.publicKey, "a P-256 or P-384", (given) => hashOf(given) !== undefined);
  const { payload, sig } = readBundle(bundle);
  if (!verify(hashOf(key), preAuthEncoding(ATTESTATION_TYPE, payload), key, sig)) throw refused("signature", "the model signature is not the given key's");
  const value = parseJson(payload);
  const problem = recordProblem("statement", value, STATEMENT, "open") ?? manifestProblem(value as Statement);
  if (problem !== undefined) throw refused("statement", `the signed statement is malformed: ${problem.field} must ${problem.expectation}`);
  const { resources } = (value as Statement).predicate;
  return Object.freeze({ identity: `model-signing:sha256:${fingerprintOf(key)}`, files: new Map(resources.map(({ name, digest }) => [name, digest])) });
}

function readBundle(given: string | Uint8Array): { readonly payload: Uint8Array; readonly sig: Uint8Array } {
  if (typeof given !== "string" && !types.isUint8Array(given)) throw invalidInput("bundle", "be text or its bytes");
  const bundle = given.length <= BUNDLE_MAX_BYTES ? parseJson(Buffer.from(given as Uint8Array)) : undefined;
  const malformed = refused("shape", "the model signature is not a Sigstore bundle with one signed in-toto statement");
  if (recordProblem("bundle", bundle, BUNDLE, "open") !== undefined) throw malformed;
  const { payload, signatures } = (bundle as Bundle).dsseEnvelope;
  const [decoded, sig] = [decodeBase64(payload), decodeBase64(signatures[0]?.sig ?? "")];
  if (decoded === undefined || sig === undefined) throw malformed;
  return { payload: decoded, sig };
}

/** The JSON value of these bytes; undefined where they are none. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** Names once each, in order, and the root digest of theirs. */
function manifestProblem({ subject, predicate: { resources } }: Statement): FieldProblem | undefined {
  const names = resources.map(({ name }) => name);
  if (names.includes(MODEL_OF_ONE_FILE) && names.length > 1) return { field: "resources", expectation: 'name "." alone' };
  if (!isAscending(names, compareText) && !isAscending(names, comparePaths)) {
    return { field: "resources", expectation: "be in the order of their names, each once" };
  }
  const root = createHash("sha256");
  for (const { digest } of resources) root.update(digest, "hex");
  return root.digest("hex") === subject[0]?.digest.sha256 ? undefined : { field: "subject", expectation: "have the root digest of the resources" };
}

function isAscending(names: readonly string[], compare: (a: string, b: string) => number): boolean {
  return names.every((name, index) => compare(names[index - 1] ?? "", name) < 0);
}

/** By code points, as the specification says. */
const compareText = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Part by part, as the reference implementation does it. */
function comparePaths(a: string, b: string): number {
  const [ours, theirs] = [a.split("/"), b.split("/")];
  for (const [index, part] of ours.entries()) {
    const other = theirs[index];
    const order = other === undefined ? 1 : compareText(part, other);
    if (order !== 0) return order;
  }
  return ours.length - theirs.length;
}

/** One name for a key, however its PEM spells it: from its coordinates. */
function fingerprintOf(key: KeyObject): string {
  return publicKeyId(createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" }));
}

function hashOf(key: KeyObject): string | undefined {
  return HASHES.get(String(key.asymmetricKeyDetails?.namedCurve));
}

function refused(step: ModelSignatureRefusal, message: string): SealError {
  return new SealError("INTEGRITY_VIOLATION", message, { details: { reason: "expect", step } });
}
