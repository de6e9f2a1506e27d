import type { Residency } from "../residency.js";
import { GAUGES } from "./gauges.js";
import type { MetricSet } from "./metric-set.js";
import { readResidencies } from "./reading.js";

/** The residencies that the collector saw open. */
export interface SeenResidencies {
  add(residency: Residency): void;
}

/** Reads how they stand, once for each scrape, until they are closed. */
export function residencyMetrics(set: MetricSet): SeenResidencies {
  const seen = new Set<Residency>();
  const forgetClosed = (): void => {
    for (const residency of seen) if (residency.state === "closed") seen.delete(residency);
  };
  const reading = onceATurn(() => {
    forgetClosed();
    return readResidencies([...seen]);
  });
  for (const { samples, ...description } of GAUGES) set.gauge(description, () => samples(reading()));
  return {
    add(residency) {
      forgetClosed();
      seen.add(residency);
    },
  };
}

/** All metrics of a scrape are collected in one turn. */
function onceATurn<T>(read: () => T): () => T {
  let current: { readonly value: T } | undefined;
  return () => {
    if (current === undefined) {
      current = { value: read() };
      queueMicrotask(() => (current = undefined));
    }
    return current.value;
  };
}
