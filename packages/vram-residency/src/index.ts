export { openResidency } from "./open-residency.js";
export type {
  AttestOptions,
  CallOptions,
  ExecuteOptions,
  Expectation,
  SignedExpectation,
  OpenResidencyOptions,
  ScrubOptions,
  SealOptions,
  SealProgress,
  SealSetOptions,
  VerifyPartOptions,
  ViewOptions,
} from "./options.js";
export type { Residency, ResidencyDevice, Capacity, ExecuteTarget } from "./residency.js";
export type { DeviceSelector } from "./host-device.js";
export type { ResidencyState } from "./lifecycle.js";
export type { ModelSource, ByteStream } from "./source/model-source.js";
export type { SetSource } from "./set-source.js";
export type { SealedSet, SetRecord } from "./sealed-set.js";
export type { ModelFormat } from "./model/header.js";
export type { SealedShard, ShardRecord } from "./shard.js";
export type { ByteRange, Lease, ShardLease } from "./lease.js";
export type { TensorView } from "./tensor-view.js";
export type { ScrubProgress, Scrubber } from "./scrubber.js";
export type { VerifyReport, VerifyTarget } from "./verify.js";
export type { RangeReport } from "./verify-range.js";
export type { DamageReport } from "./damage.js";
export { VramError } from "./errors.js";
export type { VramErrorCode, VramErrorKind, VramErrorDetails } from "./errors.js";
export { fromAttestationKeyFile, fromAttestationPkcs11, fromKeyFile, fromPkcs11, fromSystemdCredential, fromWorkerToken, generate, verifyAttestation } from "vram-seal";
export type { AttestationKey, AttestationStatement, Seal, SealKey, SealStatement, VerifyAttestationOptions } from "vram-seal";
export { commandAnchor, directoryAnchor, httpAnchor, openAuditLog } from "vram-audit";
export type { Anchor, AuditLog } from "vram-audit";
export type { PolicyOptions } from "vram-policy";
export type { DriverSource, View } from "vram-cuda";
