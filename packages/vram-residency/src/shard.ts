import type { Seal, SealStatement } from "vram-seal";

/** What may be told about a shard; no secret, no address. Byte counts in bytes, `sealedAt` in UTC (RFC 3339). */
export interface ShardRecord {
  readonly shardId: string;
  readonly modelRef: string | null;
  readonly gpuDevice: number;
  readonly gpuUuid: string;
  readonly backend: string;
  readonly vramBytes: number;
  readonly digest: string;
  readonly digestAlgorithm: string;
  readonly sealedAt: string;
  readonly sealed: boolean;
  readonly shardIndex?: number;
  readonly totalShards?: number;
}

/** @internal */
export function shardRecord(statement: SealStatement, sealed: boolean): ShardRecord {
  const { shardId, modelRef, gpuDevice, gpuUuid, backend, vramBytes, digest, digestAlgorithm, sealedAt } = statement;
  const { shardIndex, totalShards } = statement;
  return {
    shardId,
    modelRef,
    gpuDevice,
    gpuUuid,
    backend,
    vramBytes,
    digest,
    digestAlgorithm,
    sealedAt,
    sealed,
    ...(shardIndex === null ? {} : { shardIndex }),
    ...(totalShards === null ? {} : { totalShards }),
  };
}

/** @internal What a shard's owner does for it. */
export interface ShardControl {
  readonly current: () => { readonly seal: Seal; readonly statement: SealStatement };
  readonly isLive: () => boolean;
  /** @throws VramError at once, with nothing changed, where waiting for executions could never end. */
  readonly release: () => Promise<void>;
}

/** A model image sealed in device memory. Made by `residency.seal`; keeps its memory until `close()`. */
export class SealedShard {
  readonly #control: ShardControl;

  /** @internal */
  constructor(control: ShardControl) {
    this.#control = control;
  }

  /** @internal Runs no code of the value: no getter, no proxy trap. */
  static is(value: unknown): value is SealedShard {
    return typeof value === "object" && value !== null && #control in value;
  }

  /** The seal statement with its MAC, in base64; public. Another one after `residency.reseal`. */
  get seal(): Seal {
    return this.#control.current().seal;
  }

  get #statement(): SealStatement {
    return this.#control.current().statement;
  }

  get shardId(): string {
    return this.#statement.shardId;
  }

  /** The fs-verity digest of the sealed image (SHA-256, 4 KiB blocks), 64 lowercase hexadecimal characters. */
  get digest(): string {
    return this.#statement.digest;
  }

  get vramBytes(): number {
    return this.#statement.vramBytes;
  }

  /** True until the shard or its residency is closed. */
  get sealed(): boolean {
    return this.#control.isLive();
  }

  /**
   * Waits for executions of this shard, wipes its memory, checks the wipe and frees it. Idempotent; never rejects because
   * of the driver: a wipe that failed stops the worker and is in the audit trail.
   * @throws VramError `INVALID_INPUT` when called by the `fn` of an `execute` that holds this shard, which could never end.
   */
  async close(): Promise<void> {
    await this.#control.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Plain facts of the shard, for a log or an answer. */
  toJSON(): ShardRecord {
    return shardRecord(this.#statement, this.sealed);
  }
}
