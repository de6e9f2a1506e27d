import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Registry } from "prom-client";
import type { OpenMetricsContentType } from "prom-client";
import { eventMetrics } from "./metrics/event-metrics.js";
import { MetricSet } from "./metrics/metric-set.js";
import type { MetricsRegistry } from "./metrics/metric-set.js";
import { operationMetrics } from "./metrics/operation-metrics.js";
import { residencyMetrics } from "./metrics/residency-metrics.js";
import type { Residency } from "./residency.js";
import { AUDITED_CHANNEL, operationChannel } from "./telemetry/channels.js";
import type { AuditedMessage, OperationMessage } from "./telemetry/channels.js";

export type { MetricsRegistry } from "./metrics/metric-set.js";

/** How to collect metrics. */
export interface CollectMetricsOptions {
  /** Where the metrics are registered; default: a registry of their own, in the OpenMetrics format. */
  readonly register?: MetricsRegistry;
}

/** The metrics of this process. Made by `collectMetrics`. */
export interface VramMetrics {
  readonly register: MetricsRegistry;
  /** Of `text()`, for the `Content-Type` of an answer. */
  readonly contentType: string;
  /** All metrics of the registry, as a scrape takes them. */
  text(): Promise<string>;
  /** Stops counting, and takes the metrics out of the registry. Idempotent. */
  close(): void;
}

const ignore = (): void => undefined;

/**
 * Counts what the residencies of this process do, and reads how they stand when it is asked for the text (docs/guide/metrics.md).
 * Call it before they are opened: it sees those that are opened after.
 * @throws Error of prom-client if the registry has metrics of these names already
 */
export function collectMetrics({ register = ownRegistry() }: CollectMetricsOptions = {}): VramMetrics {
  const set = new MetricSet(register);
  const operations = operationMetrics(set);
  const onEvent = eventMetrics(set);
  const residencies = residencyMetrics(set);
  const onAudited = set.guarded((message: unknown) => {
    onEvent(message as AuditedMessage);
  });
  const subscribers = {
    ...{ start: ignore, end: ignore, asyncStart: ignore },
    // Of a rejection both are told.
    error: set.guarded((message: OperationMessage) => {
      operations.failed(message);
    }),
    asyncEnd: set.guarded((message: OperationMessage) => {
      if ("error" in message) return;
      operations.succeeded(message);
      if (message.name === "open") residencies.add(message.result as Residency);
    }),
  };
  operationChannel.subscribe(subscribers);
  subscribe(AUDITED_CHANNEL, onAudited);
  return {
    register,
    contentType: register.contentType,
    text: () => register.metrics(),
    close() {
      operationChannel.unsubscribe(subscribers);
      unsubscribe(AUDITED_CHANNEL, onAudited);
      set.unregister();
    },
  };
}

function ownRegistry(): MetricsRegistry {
  const register = new Registry<OpenMetricsContentType>();
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return register;
}
