import { Counter, Gauge, Histogram } from "prom-client";
import type { OpenMetricsContentType, Registry } from "prom-client";

/** A registry of prom-client, whichever format it answers in. */
export type MetricsRegistry = Registry | Registry<OpenMetricsContentType>;

interface Described<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly Label[];
}

/** One value of a gauge. */
export type Sample<Label extends string> = readonly [labels: Readonly<Record<Label, string>>, value: number];

/** The metrics of one collector, all in one registry. What fails while it counts is itself counted, and reaches nobody. */
export class MetricSet {
  readonly #register: MetricsRegistry;
  readonly #names: string[] = [];
  #errors = 0;

  constructor(register: MetricsRegistry) {
    this.#register = register;
    const errors = this.counter({
      name: "vram_metrics_errors_total",
      help: "Messages and readings that could not be counted.",
      collect: () => {
        errors.reset();
        errors.inc(this.#errors);
      },
    });
  }

  counter<Label extends string = never>(description: Described<Label> & { readonly collect?: () => void }): Counter<Label> {
    return new Counter(this.#registered(description));
  }

  /** @param buckets upper bounds in seconds */
  histogram<Label extends string = never>(description: Described<Label>, buckets: readonly number[]): Histogram<Label> {
    return new Histogram({ ...this.#registered(description), buckets: [...buckets] });
  }

  /** A gauge that takes the place of whatever it said before at each scrape. */
  gauge<Label extends string>(description: Described<Label>, samples: () => Iterable<Sample<Label>>): void {
    const read = this.guarded(() => {
      for (const [labels, value] of samples()) gauge.set(labels, value);
    });
    const gauge = new Gauge<Label>({
      ...this.#registered(description),
      collect() {
        this.reset();
        read();
      },
    });
  }

  /** The same, where an error is counted and goes no further. */
  guarded<Parameters extends readonly unknown[]>(work: (...parameters: Parameters) => void): (...parameters: Parameters) => void {
    return (...parameters) => {
      try {
        work(...parameters);
      } catch {
        this.#errors += 1;
      }
    };
  }

  unregister(): void {
    for (const name of this.#names) this.#register.removeSingleMetric(name);
  }

  #registered<Label extends string, Description extends Described<Label>>(description: Description): Description & { registers: [MetricsRegistry] } {
    this.#names.push(description.name);
    return { ...description, registers: [this.#register] };
  }
}
