import { VRAM_ERROR_CODES, errorCodeOf } from "../errors.js";
import { OPERATION_NAMES } from "../telemetry/channels.js";
import type { OperationMessage } from "../telemetry/channels.js";
import type { MetricSet } from "./metric-set.js";

/** The code of whatever is not one of this package's errors: what the `fn` of an `execute` threw. */
const OTHER = "OTHER";
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export interface OperationMetrics {
  succeeded(message: OperationMessage): void;
  failed(message: OperationMessage): void;
}

/** Counts operations, and times them. */
export function operationMetrics(set: MetricSet): OperationMetrics {
  const durations = set.histogram(
    { name: "vram_operation_duration_seconds", help: "Operations that ended, and how long they took.", labelNames: ["operation"] },
    BUCKETS_SECONDS,
  );
  const failures = set.counter({
    name: "vram_operation_failures_total",
    help: "Operations that ended in an error, by its code.",
    labelNames: ["operation", "code"],
  });
  const digestBytes = set.counter({ name: "vram_digest_bytes_total", help: "Bytes that were digested in device memory.", labelNames: ["gpu_uuid"] });
  const digestSeconds = set.counter({
    name: "vram_digest_seconds_total",
    help: "Time in which they were digested, waiting for the device included.",
    labelNames: ["gpu_uuid"],
  });
  for (const operation of OPERATION_NAMES) {
    durations.zero({ operation });
    for (const code of [...VRAM_ERROR_CODES, OTHER]) failures.inc({ operation, code }, 0);
  }
  return {
    succeeded({ name, attributes, startMs }) {
      const seconds = (performance.now() - startMs) / 1000;
      durations.observe({ operation: name }, seconds);
      if (name !== "digest") return;
      const labels = { gpu_uuid: String(attributes["vram.gpu.uuid"]) };
      digestBytes.inc(labels, Number(attributes["vram.bytes"]));
      digestSeconds.inc(labels, seconds);
    },
    failed({ name, startMs, error }) {
      durations.observe({ operation: name }, (performance.now() - startMs) / 1000);
      failures.inc({ operation: name, code: errorCodeOf(error) ?? OTHER });
    },
  };
}
