import type { AnchorState, SealVerificationFailed } from "vram-audit";
import type { RuleResult } from "vram-policy";
import type { Capacity, ResidencyDevice } from "../residency.js";
import type { ShardRecord } from "../shard.js";

/** `sealing` until all models are sealed, then `ready`; `stopped` after a refusal; `closing` while shards are wiped. */
export type ServiceState = "sealing" | "ready" | "stopped" | "closing";

/** How far the scrubber is with a shard. Times are RFC 3339 in UTC. */
export interface ScrubProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly passes: number;
  readonly lastPassAt: string | null;
}

/** A live shard. `verifiedAt`: the newest whole verification, scrub pass or seal. */
export interface ServiceShard extends ShardRecord {
  readonly state: "sealed" | "repairing";
  readonly keyId: string;
  /** Whether somebody approved the digest. */
  readonly expected: boolean;
  readonly verifiedAt: string | null;
  readonly scrub: ScrubProgress | null;
}

export interface ServiceDevice extends ResidencyDevice, Capacity {}

/** What the policy says of one device. */
export interface DevicePolicy {
  readonly gpuDevice: number;
  readonly gpuUuid: string;
  readonly rules: readonly RuleResult[];
}

/** The audit trail. `root` is the tree head in base64. */
export interface ServiceAudit {
  readonly state: "open" | "failed" | "closed";
  readonly size: number;
  readonly root: string;
  readonly origin: string;
  readonly anchors: readonly AnchorState[];
}

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
  readonly shards: readonly ServiceShard[];
  readonly policy: readonly DevicePolicy[];
  readonly audit: ServiceAudit;
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
