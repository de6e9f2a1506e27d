import { correlated } from "./correlation.js";
import { toVramError } from "./errors.js";
import { stopIfUnforeseen } from "./stop-if-unforeseen.js";
import type { OperationName } from "./telemetry/channels.js";
import { traced } from "./telemetry/publish.js";
import type { Worker } from "./worker.js";

interface Correlated {
  readonly correlationId: string;
}

/** Runs the operations of a worker, and knows which have not ended. */
export class Operations {
  readonly #worker: Worker;
  readonly #running = new Set<Promise<unknown>>();

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** An operation that ends in a value or a `VramError` and nothing else. @throws VramError `STOPPED` unless the worker is ready */
  run<Options extends Correlated, T>(
    name: OperationName,
    parse: () => Options,
    operation: (worker: Worker, options: Options) => Promise<T>,
  ): Promise<T> {
    return this.begin(name, parse, (options) => this.guarded((worker) => operation(worker, options)));
  }

  /** The same, where errors of `body` pass through unchanged. */
  begin<Options extends Correlated, T>(name: OperationName, parse: () => Options, body: (options: Options) => Promise<T>): Promise<T> {
    return this.track(
      (async () => {
        const options = this.#parsed(parse);
        return correlated(options.correlationId, () => traced(name, {}, () => body(options)));
      })(),
    );
  }

  guarded<T>(operation: (worker: Worker) => T | Promise<T>): Promise<T> {
    return stopIfUnforeseen(this.#worker, async () => operation(this.#worker));
  }

  track<T>(operation: Promise<T>): Promise<T> {
    this.#running.add(operation);
    const forget = (): void => {
      this.#running.delete(operation);
    };
    operation.then(forget, forget);
    return operation;
  }

  /** Resolves when all that run now have ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #parsed<Options>(parse: () => Options): Options {
    try {
      this.#worker.lifecycle.assertReady();
      return parse();
    } catch (error) {
      throw toVramError(error);
    }
  }
}
