import type { AuditEvent, AuditLog } from "vram-audit";
import { workerSource } from "vram-audit";
import type { DriverFacts } from "vram-cuda";
import { evaluateSealKey, joinReports } from "vram-policy";
import type { Policy, PolicyReport } from "vram-policy";
import type { AttestationKey, SealKey } from "vram-seal";
import { correlationId } from "./correlation.js";
import { VramError, toVramError } from "./errors.js";
import { workerStopped } from "./events.js";
import type { HostDevice } from "./host-device.js";
import { Lifecycle } from "./lifecycle.js";
import { Pins } from "./pins.js";
import { ShardRegistry } from "./registry.js";
import { SealKeys } from "./seal-keys.js";
import { audited } from "./telemetry/publish.js";

/** What the operations of one open residency share. */
export interface WorkerParts {
  /** At least one, in the order in which they were named. */
  readonly hosts: readonly HostDevice[];
  readonly driverFacts: DriverFacts;
  readonly policy: Policy;
  readonly attestationKey: AttestationKey;
  readonly audit: AuditLog;
  readonly workerId: string;
  readonly instanceId: string;
  readonly maxModelBytes: number;
  /** How long a release waits for native code that still holds a view. */
  readonly viewTimeoutMs: number;
}

/** The parts with the worker's state: the one place that stops it and that writes its audit trail. */
export class Worker {
  readonly parts: WorkerParts;
  readonly lifecycle = new Lifecycle();
  readonly registry = new ShardRegistry();
  readonly keys: SealKeys;
  /** Seals and executions that run: what a scrub may wait for. */
  readonly sealing = new Pins();
  readonly executing = new Pins();
  #sealSequence = 0;

  constructor(parts: WorkerParts, sealKey: SealKey) {
    this.parts = parts;
    this.keys = new SealKeys(sealKey);
  }

  /** What the policy found of driver and device, and finds of the key that signs now. */
  policyReport({ report }: HostDevice): PolicyReport {
    return joinReports(report, evaluateSealKey(this.keys.signing, this.parts.policy));
  }

  nextSealSequence(): number {
    this.#sealSequence += 1;
    return this.#sealSequence;
  }

  /**
   * Writes an event durably.
   * @throws VramError `AUDIT_UNAVAILABLE`, and the worker is stopped.
   */
  async record(event: AuditEvent): Promise<void> {
    try {
      await this.#append(event);
    } catch (error) {
      throw await this.stop(toVramError(error));
    }
  }

  /**
   * Leaves `ready` at once because of `error`, then writes `event`, the reason, and that the worker stopped.
   * Answers the error to throw: `error`, with the audit's failure as its cause if the trail could not be written.
   */
  async stop(error: VramError, event?: AuditEvent): Promise<VramError> {
    const first = this.lifecycle.stop(error);
    const events = [
      ...(event === undefined ? [] : [event]),
      ...(first ? [workerStopped(this.parts, "stopped", error.code)] : []),
    ];
    const results = await Promise.allSettled(events.map((each) => this.#append(each)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined || error.code === "AUDIT_UNAVAILABLE") return error;
    return new VramError(error.code, error.message, { details: error.details, cause: failed.reason });
  }

  async #append(event: AuditEvent): Promise<void> {
    const { audit, workerId } = this.parts;
    await audited(event, () => audit.append({ ...event, source: workerSource(workerId), correlationid: correlationId() }));
  }
}
