import { aborted, assertNotAborted } from "./errors.js";

type Work<T> = (signal: AbortSignal) => Promise<T>;

/** One run for everybody who asked before it began. It is aborted when all of them gave up. */
class Run<T> {
  readonly result: Promise<T>;
  readonly #controller = new AbortController();
  #waiting = 0;

  constructor(before: Promise<unknown>, work: Work<T>) {
    this.result = before.then(() => work(this.#controller.signal));
    // Whoever waits hears of it; after an abort nobody does.
    this.result.catch(() => undefined);
  }

  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  async wait(signal: AbortSignal | undefined): Promise<T> {
    this.#waiting += 1;
    if (signal === undefined) return this.result;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        reject(aborted(signal.reason));
        this.#waiting -= 1;
        if (this.#waiting === 0) this.#controller.abort(signal.reason);
      };
    });
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([this.result, left]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }
}

/** Runs one piece of work at a time. Who joins while it runs gets the next run, together with all others who do. */
export class SharedRun<T> {
  readonly #work: Work<T>;
  #last: Promise<unknown> = Promise.resolve();
  #next: Run<T> | undefined;

  constructor(work: Work<T>) {
    this.#work = work;
  }

  /**
   * The result of a run that begins after this call.
   * @throws VramError `ABORTED`; what the work throws
   */
  async join(signal: AbortSignal | undefined): Promise<T> {
    assertNotAborted(signal);
    if (this.#next === undefined || this.#next.abandoned) this.#next = this.#enqueue();
    return this.#next.wait(signal);
  }

  /** The result of a run of the caller's own. @throws as `join` */
  async alone(signal: AbortSignal | undefined): Promise<T> {
    assertNotAborted(signal);
    return this.#enqueue().wait(signal);
  }

  #enqueue(): Run<T> {
    const run = new Run<T>(this.#last, (signal) => {
      if (this.#next === run) this.#next = undefined;
      assertNotAborted(signal);
      return this.#work(signal);
    });
    this.#last = run.result.catch(() => undefined);
    return run;
  }
}
