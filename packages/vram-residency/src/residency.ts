import { randomBytes } from "node:crypto";
import type { SealKey } from "vram-seal";
import { attestShards } from "./attest.js";
import { closeWorker } from "./close-worker.js";
import { correlated, newCorrelationId } from "./correlation.js";
import { invalidInput, toVramError } from "./errors.js";
import { assertNotHeldHere, prepareExecution } from "./execute.js";
import { findHost, hostsInTurn, totalCapacity } from "./host-device.js";
import type { DeviceSelector } from "./host-device.js";
import { verifyTargets } from "./hold-verified.js";
import type { Lease } from "./lease.js";
import type { ResidencyState } from "./lifecycle.js";
import { Operations } from "./operations.js";
import { parseAttestOptions, parseCallOptions, parseExecuteOptions, parseScrubOptions, parseVerifyOptions } from "./options/call-options.js";
import { parseSealKey } from "./options/open-options.js";
import { parseSealOptions, parseSealSetOptions } from "./options/seal-options.js";
import type { AttestOptions, CallOptions, ExecuteOptions, ParsedVerifyOptions, ScrubOptions, VerifyPartOptions } from "./options/call-options.js";
import type { SealOptions, SealSetOptions } from "./options/seal-options.js";
import { releaseShard } from "./release.js";
import type { LiveShard } from "./registry.js";
import { resealShard, retireKey, rotateKey } from "./rotation.js";
import { sealParts } from "./seal.js";
import { openSetSource } from "./set-source.js";
import type { SetSource } from "./set-source.js";
import { SealedSet } from "./sealed-set.js";
import { SealedShard } from "./shard.js";
import type { ModelSource } from "./source/model-source.js";
import { Scrubber } from "./scrubber.js";
import { partOf, verifyPart } from "./verify-range.js";
import type { RangeReport } from "./verify-range.js";
import { auditTrailStatus, devicePolicies, shardStatus } from "./status.js";
import type { AuditTrailStatus, DevicePolicy, ShardStatus } from "./status.js";
import { isSet, targetsOf } from "./targets.js";
import type { ExecuteTarget } from "./targets.js";
import { verifyTarget } from "./verify.js";
import type { VerifyReport, VerifyTarget } from "./verify.js";
import type { Worker } from "./worker.js";

/** Device memory in bytes. `reservedBytes` is never given to shards: the limit's reserve and the digest workspace. */
export interface Capacity {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly reservedBytes: number;
}

/** A device of a residency. */
export interface ResidencyDevice {
  readonly ordinal: number;
  readonly uuid: string;
  readonly name: string;
}

/** One worker's sealed model weights on one GPU or several. Opened by `openResidency`. */
export class Residency {
  readonly #worker: Worker;
  readonly #operations: Operations;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(worker: Worker) {
    this.#worker = worker;
    this.#operations = new Operations(worker);
  }

  /** `ready`, `stopped` after a refusal (only releasing still works), or `closed`. */
  get state(): ResidencyState {
    return this.#worker.lifecycle.state;
  }

  /** Aborts when `ready` is left, with the `VramError` for which it was. */
  get signal(): AbortSignal {
    return this.#worker.lifecycle.signal;
  }

  /**
   * Loads a model into the memory of `device`, maps it read-only, digests it there, compares and signs.
   * @throws VramError `INSUFFICIENT_VRAM`, `CUDA_ALLOCATION_FAILED`, `CUDA_FAILED`, `DEVICE_LOST`, `INTEGRITY_VIOLATION`,
   * `POLICY_VIOLATION`, `KEY_UNAVAILABLE`, `AUDIT_UNAVAILABLE`, `INVALID_INPUT`, `ABORTED`, `STOPPED`; nothing of it stays.
   */
  async seal(source: ModelSource, options?: SealOptions): Promise<SealedShard> {
    return this.#operations.run("seal", () => parseSealOptions(options), async (worker, { device, shardId, expect, format, ...rest }) => {
      const host = findHost(worker.parts.hosts, device, "options.device");
      const [live] = await sealParts(worker, { ...rest, parts: [{ source, host, shardId, approval: expect, format }], setId: null });
      if (live === undefined) throw invalidInput("source", "be one model");
      return sealedShard(worker, live);
    });
  }

  /**
   * Seals the files of one model together, by turns on the residency's devices, all or none. `source` is a `model.safetensors.index.json`, whose
   * files lie beside it, or the list of files; the headers must agree with the index, or name each tensor once.
   * @throws VramError as `seal`; nothing of the set stays.
   */
  async sealSet(source: SetSource, options?: SealSetOptions): Promise<SealedSet> {
    return this.#operations.run("seal", () => parseSealSetOptions(options), async (worker, { setId = randomSetId(), devices, expect, ...rest }) => {
      const hostOf = hostsInTurn(worker.parts.hosts, devices);
      const { parts, checkHeaders } = await openSetSource(source, { setId, expect, hostOf });
      if (devices !== undefined && devices.length > parts.length) throw invalidInput("options.devices", "be no more than the files");
      const live = await sealParts(worker, { ...rest, parts, checkHeaders, setId });
      return new SealedSet(setId, live.map((shard) => sealedShard(worker, shard)));
    });
  }

  /**
   * Verifies a shard, or a seal that somebody presents, from device memory. Success and failure are audited; a failure
   * stops the worker.
   * @throws VramError `SEAL_VERIFICATION_FAILED`, `NOT_SEALED`, `KEY_UNAVAILABLE`, `AUDIT_UNAVAILABLE`, `INVALID_INPUT`,
   * `ABORTED`, `STOPPED`
   */
  async verify(target: VerifyTarget, options?: CallOptions): Promise<VerifyReport>;
  /** Verifies every member of a set likewise: all are held, and those of different devices verified side by side. */
  async verify(set: SealedSet, options?: CallOptions): Promise<readonly VerifyReport[]>;
  /**
   * Verifies one tensor of a shard, or some bytes, alone: their blocks are digested in device memory and must hash up to the digest
   * that was sealed.
   * @throws VramError as for a whole shard, which is verified where a part of it is not as it should be
   */
  async verify(target: VerifyTarget, options: VerifyPartOptions): Promise<RangeReport>;
  async verify(
    target: VerifyTarget | SealedSet,
    options?: CallOptions | VerifyPartOptions,
  ): Promise<VerifyReport | readonly VerifyReport[] | RangeReport> {
    return this.#operations.run<ParsedVerifyOptions, VerifyReport | readonly VerifyReport[] | RangeReport>(
      "verify",
      () => parseVerifyOptions(options),
      (worker, { signal, ...rest }) => {
        const part = partOf(rest);
        if (!isSet(target)) return part === undefined ? verifyTarget(worker, target, signal) : verifyPart(worker, target, part, signal);
        if (part !== undefined) throw invalidInput("target", "be one shard where a tensor or a range is named");
        return verifyTargets(worker, target.shards, signal);
      },
    );
  }

  /**
   * Verifies all shards in the background, range by range in random order, over and over, within a budget, until it is closed or the
   * worker leaves `ready`. What it finds is treated as at an execution: told by the trail, and the worker stops.
   * @throws VramError `INVALID_INPUT`, `STOPPED`
   */
  startScrub(options?: ScrubOptions): Scrubber {
    this.#worker.lifecycle.assertReady();
    const scrubber = new Scrubber(this.#worker, parseScrubOptions(options));
    void this.#operations.track(scrubber.ended);
    return scrubber;
  }

  /**
   * Verifies the shards, or all members of a set, from device memory, then runs `fn` while they can be neither released nor
   * changed through this package. Resolves to what `fn` returned; an error of `fn` passes through unchanged.
   * @throws VramError as `verify`; `fn` was then never called, unless `verifyAfter` found a change while it ran. `DEVICE_LOST` if `fn` returned and the device was lost
   * meanwhile: the worker is stopped.
   */
  async execute<T>(
    shards: ExecuteTarget | readonly ExecuteTarget[],
    fn: (lease: Lease) => T | PromiseLike<T>,
    options?: ExecuteOptions,
  ): Promise<T> {
    return this.#operations.begin("execute", () => parseExecuteOptions(options), async (parsed) => {
      const execution = await this.#operations.guarded((worker) => {
        if (typeof fn !== "function") throw invalidInput("fn", "be a function");
        return prepareExecution(worker, targetsOf(shards), fn, parsed);
      });
      return execution();
    });
  }

  /**
   * Verifies the shards, or all members of a set, from device memory and signs what was found, for somebody who has neither
   * the GPU nor the seal key (docs/spec/attestation-v1.md). Each verification is audited; a failure stops the worker.
   * @returns a DSSE envelope with an in-toto Statement, as canonical JSON text, for `verifyAttestation` of vram-seal
   * @throws VramError as `verify`; nothing is signed then.
   */
  async attest(shards: ExecuteTarget | readonly ExecuteTarget[], options: AttestOptions): Promise<string> {
    return this.#operations.run("attest", () => parseAttestOptions(options), (worker, parsed) => attestShards(worker, targetsOf(shards), parsed));
  }

  /**
   * Lets another key sign seals from now on. The keys before it go on verifying what they signed, until `retireSealKey`. The
   * key is the residency's once this resolves.
   * @throws VramError `INVALID_INPUT` for a key of this residency, `AUDIT_UNAVAILABLE`, `STOPPED`; the key stays the caller's.
   */
  async rotateSealKey(key: SealKey): Promise<void> {
    return this.#operations.run("rotate_key", () => parseCallOptions({}), (worker) => rotateKey(worker, parseSealKey(key)));
  }

  /**
   * Verifies a shard from device memory and seals it anew with the key that signs now, without loading it again. Its seal
   * until then verifies no more.
   * @throws VramError as `verify`; the shard then keeps its seal.
   */
  async reseal(shard: SealedShard, options?: CallOptions): Promise<void> {
    return this.#operations.run("reseal", () => parseCallOptions(options), (worker, { signal }) => {
      if (!SealedShard.is(shard)) throw invalidInput("shard", "be a sealed shard");
      return resealShard(worker, shard, signal);
    });
  }

  /**
   * Closes a key that signs no more: what it signed verifies no more.
   * @param keyId the public name of the key, 16 lowercase hexadecimal characters
   * @throws VramError `INVALID_INPUT` for the key that signs, and while a live shard is sealed with the key;
   * `AUDIT_UNAVAILABLE`, `STOPPED`
   */
  async retireSealKey(keyId: string): Promise<void> {
    return this.#operations.run("retire_key", () => parseCallOptions({}), (worker) => retireKey(worker, keyId));
  }

  /** The shards that are resident now, in the order in which they were sealed. */
  get shards(): readonly ShardStatus[] {
    return this.#worker.registry.all().map(shardStatus);
  }

  /** Every rule of the policy with its verdict, for each device. */
  get policy(): readonly DevicePolicy[] {
    return devicePolicies(this.#worker);
  }

  /** How the audit trail stands: its state, its head, its anchors. */
  get auditTrail(): AuditTrailStatus {
    return auditTrailStatus(this.#worker);
  }

  /** Who this worker is; in every seal. */
  get workerId(): string {
    return this.#worker.parts.workerId;
  }

  /** This run of the worker, 32 hexadecimal characters; in every seal. */
  get instanceId(): string {
    return this.#worker.parts.instanceId;
  }

  /** How the driver came in: `cuda` is the system's, `simulator` bears the simulator's mark, `custom` is any other. */
  get backend(): string {
    return this.#worker.parts.driverFacts.backend;
  }

  /** The public half of the key that signs attestations, SubjectPublicKeyInfo in PEM: what a verifier pins. */
  get attestationPublicKey(): string {
    return this.#worker.parts.attestationKey.publicKey;
  }

  /** The devices of the residency, in the order in which they were named: the first is where `seal` goes by default. */
  get devices(): readonly ResidencyDevice[] {
    return this.#worker.parts.hosts.map(({ device: { facts: { ordinal, uuid, name } } }) => ({ ordinal, uuid, name }));
  }

  /**
   * The memory of one device, or of all together.
   * @throws VramError `INVALID_INPUT` for a device that is not the residency's
   */
  capacity(device?: DeviceSelector): Capacity {
    const { hosts } = this.#worker.parts;
    return device === undefined ? totalCapacity(hosts) : findHost(hosts, device, "device").capacity.snapshot();
  }

  /**
   * Ends unfinished seals, waits for executions, wipes and frees every shard, closes the devices, the audit trail and the
   * seal key. Idempotent; never rejects because of the driver.
   * @throws VramError `INVALID_INPUT` when called by the `fn` of an `execute`, which could never end; `AUDIT_UNAVAILABLE`
   */
  async close(): Promise<void> {
    assertNotHeldHere(this.#worker.registry.all());
    this.#closed ??= correlated(newCorrelationId(), async () => {
      try {
        await closeWorker(this.#worker, this.#operations);
      } catch (error) {
        throw toVramError(error);
      }
    });
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function randomSetId(): string {
  return `set-${randomBytes(8).toString("hex")}`;
}

function sealedShard(worker: Worker, live: LiveShard): SealedShard {
  return new SealedShard({
    current: () => live,
    isLive: () => worker.registry.find(live.shardId) === live,
    release: () => {
      assertNotHeldHere([live]);
      return correlated(newCorrelationId(), () => releaseShard(worker, live, "released"));
    },
  });
}
