export type { Anchor, AnchorOptions } from "./anchor/anchor.js";
export type { AnchorState } from "./anchor/anchor-keeper.js";
export { commandAnchor } from "./anchor/command-anchor.js";
export { directoryAnchor } from "./anchor/directory-anchor.js";
export { httpAnchor } from "./anchor/http-anchor.js";
export type { HttpAnchorOptions } from "./anchor/http-anchor.js";
export { checkAuditDirectory } from "./storage/audit-directory.js";
export { readAnchor } from "./anchor/read-anchor.js";
export { AuditError } from "./audit-error.js";
export type { AuditErrorCode, AuditErrorDetails, AuditErrorOptions } from "./audit-error.js";
export { SEVERITIES } from "./events/line.js";
export type { AuditEntry, Envelope, Severity, StoredEvent } from "./events/line.js";
export { workerSource } from "./events/parse-event.js";
export { AUDIT_EVENT_TYPES, REPAIR_REFUSAL_REASONS, VERIFICATION_FAILURE_REASONS } from "./events/schema.js";
export type {
  AnchorFailed,
  AnchorRestored,
  AuditClosed,
  AuditEvent,
  AuditEventType,
  AuditOpened,
  AuditRecovered,
  AuditRetired,
  AuditRotated,
  DeviceQuarantined,
  KeyRetired,
  KeyRotated,
  PolicyViolation,
  RangeVerified,
  RepairRefused,
  SealVerificationFailed,
  SealVerified,
  VramAllocationFailed,
  VramDeallocated,
  VramRepaired,
  VramResealed,
  VramScrubbed,
  VramSealed,
  WorkerStarted,
  WorkerStopped,
} from "./events/schema.js";
export { messageOf } from "./export/message.js";
export { toOcsf } from "./export/ocsf.js";
export type { OcsfEvent, OcsfFingerprint } from "./export/ocsf.js";
export { toOtel } from "./export/otel.js";
export type { OtlpAttribute, OtlpLogRecord, OtlpLogs, OtlpValue } from "./export/otel.js";
export type { AuditHead, AuditLog, AuditLogState, Receipt } from "./log/audit-log.js";
export { openAuditLog } from "./log/open-audit-log.js";
export type { OpenAuditLogOptions } from "./log/options.js";
export type { RetentionLimits } from "./log/retention.js";
export type { RotationLimits } from "./log/rotation.js";
export type { CheckpointInterval } from "./log/committer.js";
export type { Checkpoint, SignedCheckpoint } from "./note/checkpoint.js";
export type { MirrorLogger } from "./mirror/mirror.js";
export type { ClockStep } from "./read/clock-check.js";
export { describeProblem } from "./read/problem-list.js";
export { checkAuditProof } from "./proof/check-proof.js";
export type { CheckAuditProofOptions, ProvenHistory, ProvenLine } from "./proof/check-proof.js";
export { exportConsistencyProof, exportInclusionProof } from "./proof/export-proof.js";
export type { ExportConsistencyProofOptions, ExportInclusionProofOptions } from "./proof/export-proof.js";
export type { AuditProblem, AuditProblemReason } from "./read/problem-list.js";
export { queryAuditLog } from "./read/query-audit-log.js";
export type { AuditFilter, QueryAuditLogOptions } from "./read/query-audit-log.js";
export { readAuditEvents } from "./read/read-audit-events.js";
export type { ReadAuditEventsOptions } from "./read/read-audit-events.js";
export type { VerifierKeySource } from "./read/resolve-verifier-key.js";
export { verifyAuditLog } from "./read/verify-audit-log.js";
export type { AnchoredPart, AuditVerification, VerifyAuditLogOptions } from "./read/verify-audit-log.js";
