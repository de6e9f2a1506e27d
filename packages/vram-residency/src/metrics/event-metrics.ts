import type { Counter } from "prom-client";
import { REPAIR_REFUSAL_REASONS, VERIFICATION_FAILURE_REASONS } from "vram-audit";
import type { AuditEvent, VramDeallocated, WorkerStarted } from "vram-audit";
import { POLICY_RULES } from "vram-policy";
import { VRAM_ERROR_CODES } from "../errors.js";
import type { AuditedMessage } from "../telemetry/channels.js";
import type { MetricSet } from "./metric-set.js";

const APPEND_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const RELEASE_OUTCOMES = ["wiped", "unwiped", "lost"] as const;

type DataOf<Type extends AuditEvent["type"]> = Extract<AuditEvent, { readonly type: Type }>["data"];
type Counts = { readonly [Type in AuditEvent["type"]]?: (data: DataOf<Type>) => void };

/** Counts what the audit trail is told, and how it takes it. A failure counts also where the trail did not take it. */
export function eventMetrics(set: MetricSet): (message: AuditedMessage) => void {
  const appendSeconds = set.histogram(
    { name: "vram_audit_append_duration_seconds", help: "Events handed to the audit trail, and how long until they were durable or refused." },
    APPEND_BUCKETS_SECONDS,
  );
  const appendFailures = set.counter({ name: "vram_audit_append_failures_total", help: "Events that the audit trail did not take." });
  const counts: Counts = { ...shardCounts(set), ...failureCounts(set), ...deviceCounts(set) };
  return (message) => {
    const { event, durationMs } = message;
    appendSeconds.observe(durationMs / 1000);
    if ("error" in message) appendFailures.inc();
    if ("error" in message && event.severity === "info") return;
    (counts[event.type] as ((data: unknown) => void) | undefined)?.(event.data);
  };
}

function shardCounts(set: MetricSet): Counts {
  const plain = (name: string, help: string): Counter => set.counter({ name, help });
  const seals = plain("vram_seals_total", "Shards that were sealed.");
  const reseals = plain("vram_reseals_total", "Shards that were sealed anew with another key.");
  const passes = plain("vram_scrub_passes_total", "Whole passes of a scrub over a shard.");
  const repairs = plain("vram_repairs_total", "Damaged shards that were repaired.");
  const verifications = countBy(set, {
    ...{ name: "vram_verifications_total", help: "Verifications that found all as it was sealed, of a shard or of a part of one." },
    ...{ label: "scope", values: ["whole", "range"] },
  });
  const deallocations = countBy(set, {
    ...{ name: "vram_deallocations_total", help: "Shards whose memory was given back: wiped, not wiped, or lost with the device." },
    ...{ label: "outcome", values: RELEASE_OUTCOMES },
  });
  return {
    "vram.shard.sealed": () => { seals.inc(); },
    "vram.shard.resealed": () => { reseals.inc(); },
    "vram.shard.scrubbed": () => { passes.inc(); },
    "vram.shard.repaired": () => { repairs.inc(); },
    "vram.shard.verified": () => { verifications("whole"); },
    "vram.range.verified": () => { verifications("range"); },
    "vram.shard.deallocated": (data) => { deallocations(releaseOutcome(data)); },
  };
}

function failureCounts(set: MetricSet): Counts {
  const failures = countBy(set, {
    ...{ name: "vram_verification_failures_total", help: "Seals, and bytes that were to be sealed, that were refused." },
    ...{ label: "reason", values: VERIFICATION_FAILURE_REASONS },
  });
  const repairRefusals = countBy(set, {
    ...{ name: "vram_repair_refusals_total", help: "Damaged shards that were not repaired." },
    ...{ label: "reason", values: REPAIR_REFUSAL_REASONS },
  });
  const violations = countBy(set, {
    ...{ name: "vram_policy_violations_total", help: "Refusals by a rule of the policy." },
    ...{ label: "rule", values: POLICY_RULES },
  });
  const stops = countBy(set, {
    ...{ name: "vram_worker_stops_total", help: "Workers that an error stopped, by its code." },
    ...{ label: "code", values: VRAM_ERROR_CODES },
  });
  return {
    "vram.seal.verification_failed": ({ reason }) => { failures(reason); },
    "vram.shard.repair_refused": ({ reason }) => { repairRefusals(reason); },
    "vram.policy.violation": (data) => { for (const { rule } of data.violations) violations(rule); },
    "vram.worker.stopped": ({ code }) => { if (code !== null) stops(code); },
  };
}

function deviceCounts(set: MetricSet): Counts {
  const quarantines = set.counter({
    ...{ name: "vram_device_quarantines_total", help: "Blocks that were damaged again after a repair." },
    labelNames: ["gpu_uuid"],
  });
  const devices = new Map<string, ReturnType<typeof deviceLabels>>();
  set.gauge(
    {
      ...{ name: "vram_device_info", help: "1 for each device that a worker was opened on." },
      labelNames: ["gpu_uuid", "gpu_name", "backend", "driver_version"],
    },
    () => [...devices.values()].map((labels) => [labels, 1]),
  );
  return {
    "vram.worker.started": (data) => {
      devices.set(data.gpuUuid, deviceLabels(data));
      quarantines.inc({ gpu_uuid: data.gpuUuid }, 0);
    },
    "vram.device.quarantined": ({ gpuUuid }) => { quarantines.inc({ gpu_uuid: gpuUuid }); },
  };
}

interface LabelledCounter {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** Each begins at 0, or its first increase could not be seen. */
  readonly values: readonly string[];
}

function countBy(set: MetricSet, { name, help, label, values }: LabelledCounter): (value: string) => void {
  const counter = set.counter<string>({ name, help, labelNames: [label] });
  for (const value of values) counter.inc({ [label]: value }, 0);
  return (value) => {
    counter.inc({ [label]: value });
  };
}

function releaseOutcome({ wiped, lost }: VramDeallocated["data"]): (typeof RELEASE_OUTCOMES)[number] {
  if (wiped) return "wiped";
  return lost ? "lost" : "unwiped";
}

function deviceLabels({ gpuUuid, gpuName, backend, driverVersion }: WorkerStarted["data"]) {
  return { gpu_uuid: gpuUuid, gpu_name: gpuName, backend, driver_version: driverVersion };
}
