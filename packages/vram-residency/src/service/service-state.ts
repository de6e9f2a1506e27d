import type { SealVerificationFailed } from "vram-audit";
import type { Capacity, ResidencyDevice } from "../residency.js";
import type { AuditTrailStatus, DevicePolicy, ShardStatus } from "../status.js";

/** `sealing` until all models are sealed, then `ready`; `stopped` after a refusal; `closing` while shards are wiped. */
export type ServiceState = "sealing" | "ready" | "stopped" | "closing";

export interface ServiceDevice extends ResidencyDevice, Capacity {}

type DamagedBlocks = NonNullable<SealVerificationFailed["data"]["damage"]>;

/** A verification that failed, with the damaged blocks and their tensors where they are known. */
export interface DamageEntry {
  readonly time: string;
  readonly sequence: number;
  readonly shardId: string | null;
  readonly reason: string;
  readonly blockCount: number | null;
  readonly blocks: DamagedBlocks["blocks"];
}

/** The answer of `/api/shards`. */
export interface ServiceSnapshot {
  readonly at: string;
  readonly workerId: string;
  readonly instanceId: string;
  readonly backend: string;
  readonly state: ServiceState;
  readonly stopped: { readonly code: string; readonly message: string } | null;
  readonly devices: readonly ServiceDevice[];
  readonly shards: readonly ShardStatus[];
  readonly policy: readonly DevicePolicy[];
  readonly audit: Omit<AuditTrailStatus, "mirrorDropped">;
  /** Newest first, at most 16. */
  readonly damage: readonly DamageEntry[];
}

/** A probe's answer: 200 where `ok`, else 503. */
export interface ProbeAnswer {
  readonly ok: boolean;
  readonly body: object;
}

/** What the server shows. None of it may hold an address, a path, a key or a token. */
export interface ServiceView {
  snapshot(): ServiceSnapshot;
  health(): ProbeAnswer;
  readiness(): ProbeAnswer;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A DSSE envelope over all live shards, as JSON text. */
  attest(nonce: Uint8Array, signal: AbortSignal): Promise<string>;
}
