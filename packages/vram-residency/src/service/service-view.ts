import { VramError } from "../errors.js";
import type { Residency } from "../residency.js";
import type { SealedShard } from "../shard.js";
import type { DamageEntry, ProbeAnswer, ServiceSnapshot, ServiceState, ServiceView } from "./service-state.js";

/** What a service's metrics are read from. */
export interface MetricsSource {
  readonly contentType: string;
  text(): Promise<string>;
  close(): void;
}

export interface ViewParts {
  readonly residency: Residency;
  readonly metrics: MetricsSource;
  readonly state: () => ServiceState;
  /** Why the worker stopped, if it did. */
  readonly stopped: () => VramError | undefined;
  readonly shards: () => readonly SealedShard[];
  readonly damage: () => readonly DamageEntry[];
}

/** What a hold service shows of itself. */
export class HoldView implements ServiceView {
  constructor(private readonly parts: ViewParts) {}

  snapshot(): ServiceSnapshot {
    const { residency, state, stopped, damage } = this.parts;
    const failure = stopped();
    const { workerId, instanceId, backend, devices, shards, policy, auditTrail } = residency;
    const { state: auditState, size, root, origin, anchors } = auditTrail;
    return {
      at: new Date().toISOString(),
      workerId,
      instanceId,
      backend,
      state: state(),
      stopped: failure === undefined ? null : { code: failure.code, message: failure.message },
      devices: devices.map((device) => ({ ...device, ...residency.capacity(device.ordinal) })),
      shards,
      policy,
      audit: { state: auditState, size, root, origin, anchors },
      damage: damage(),
    };
  }

  health(): ProbeAnswer {
    const { residency, state, stopped } = this.parts;
    if (residency.state === "ready" && residency.auditTrail.state === "open") return { ok: true, body: { status: "ok" } };
    if (state() === "closing") return { ok: false, body: { status: "closing" } };
    return { ok: false, body: { status: "stopped", code: stopped()?.code ?? "AUDIT_UNAVAILABLE" } };
  }

  readiness(): ProbeAnswer {
    const status = this.parts.state();
    return { ok: status === "ready", body: status === "stopped" ? { status, code: this.parts.stopped()?.code } : { status } };
  }

  async metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    const { contentType } = this.parts.metrics;
    return { contentType, text: await this.parts.metrics.text() };
  }

  async attest(nonce: Uint8Array, signal: AbortSignal): Promise<string> {
    const { residency, state, shards } = this.parts;
    const now = state();
    if (now !== "ready") throw new VramError("STOPPED", `the service is ${now}`, { details: { state: now } });
    return residency.attest(shards(), { nonce, signal });
  }
}
