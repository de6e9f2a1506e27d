import type { Attributes } from "@opentelemetry/api";
import type { AuditEvent } from "vram-audit";

type Told = { readonly [Type in AuditEvent["type"]]?: (event: Extract<AuditEvent, { type: Type }>) => Attributes };

/** Events that say that something was refused or failed, and what a span tells of them. */
const REFUSALS: Told = {
  "vram.seal.verification_failed": ({ data: { reason, rules } }) => ({ "vram.reason": reason, "vram.rules": [...rules] }),
  "vram.policy.violation": ({ data: { stage, violations } }) => ({ "vram.reason": stage, "vram.rules": violations.map(({ rule }) => rule) }),
  "vram.allocation.failed": ({ data: { code } }) => ({ "vram.reason": code }),
  "vram.shard.repair_refused": ({ data: { reason } }) => ({ "vram.reason": reason }),
  "vram.device.quarantined": () => ({ "vram.reason": "quarantine" }),
};

/** Undefined for an event that is no refusal. */
export function refusalAttributes(event: AuditEvent): Attributes | undefined {
  const tell = REFUSALS[event.type] as ((event: AuditEvent) => Attributes) | undefined;
  return tell?.(event);
}
