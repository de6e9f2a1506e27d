export { type FsverityOptions, FsverityHasher, fsverityDigest } from "./fsverity/fsverity-hasher.js";
export { type ReadFsverityOptions, readFsverityDigest } from "./fsverity/read-fsverity-digest.js";
export { canonicalize } from "./encoding/canonical-json.js";
export { preAuthEncoding } from "./encoding/pre-auth-encoding.js";
export {
  type Seal,
  type SealExpectation,
  type SealPlacement,
  type SealStatement,
  SEAL_DIGEST_ALGORITHM,
} from "./seal/seal-statement.js";
export { createSeal } from "./seal/create-seal.js";
export { type VerifySealOptions, verifySeal } from "./seal/verify-seal.js";
export { verifySealSet } from "./seal/verify-seal-set.js";
export { setDigest } from "./seal/set-digest.js";
export { type SealAgeOptions, assertSealAge } from "./seal/assert-seal-age.js";
export type { SealRefusal } from "./seal/seal-refusal.js";
export type {
  AttestationKeyOrigin,
  AttestationPredicate,
  AttestationStatement,
  AttestedAuditHead,
  AttestedDevice,
  AttestedRule,
  AttestedShard,
  AttestedSoftware,
  AttestedSubject,
} from "./attestation/attestation-statement.js";
export { AttestationKey, fromAttestationKeyFile, generateAttestationKey } from "./attestation/attestation-key.js";
export { fromAttestationPkcs11 } from "./attestation/from-attestation-pkcs11.js";
export { createAttestation } from "./attestation/create-attestation.js";
export { type AttestationRefusal, type VerifyAttestationOptions, verifyAttestation } from "./attestation/verify-attestation.js";
export { type LfsPointer, readLfsPointer } from "./approval/lfs-pointer.js";
export {
  MODEL_OF_ONE_FILE,
  type ModelSignature,
  type ModelSignatureRefusal,
  type VerifyModelSignatureOptions,
  verifyModelSignature,
} from "./approval/model-signature.js";
export type { SealKey } from "./keys/seal-key.js";
export { type SealKeyMemory, sealKeyMemory } from "./keys/root-keys.js";
export { fromWorkerToken } from "./keys/from-worker-token.js";
export { type Pkcs11Options, fromPkcs11 } from "./keys/pkcs11/from-pkcs11.js";
export type { Pkcs11Attribute, Pkcs11Handle, Pkcs11Library, Pkcs11Module } from "./keys/pkcs11/module.js";
export type { Pkcs11KeyOptions } from "./keys/pkcs11/open-token.js";
export type { TokenProblem } from "./keys/pkcs11/token-error.js";
export { fromKeyFile } from "./keys/from-key-file.js";
export { readTokenCredential, readTokenFile } from "./keys/read-token.js";
export { fromSystemdCredential } from "./keys/from-systemd-credential.js";
export { generate } from "./keys/generate.js";
export { createKeyFile } from "./keys/create-key-file.js";
export type { KeyFileRefusal } from "./keys/key-file-rules.js";
export { type SealErrorCode, type SealErrorDetails, type SealErrorOptions, SealError } from "./seal-error.js";
