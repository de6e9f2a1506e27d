import { setMaxListeners } from "node:events";
import { VramError } from "./errors.js";

/** `stopped` releases and nothing else; `closed` is the end. */
export type ResidencyState = "ready" | "stopped" | "closed";

/** `ready → stopped → closed`, one way. The signal fires once, with the error for which `ready` was left. */
export class Lifecycle {
  readonly #controller = new AbortController();
  #state: ResidencyState = "ready";

  constructor() {
    // Every seal under way listens.
    setMaxListeners(0, this.signal);
  }

  get state(): ResidencyState {
    return this.#state;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** @throws VramError `STOPPED` unless the worker is ready. */
  assertReady(): void {
    if (this.#state === "ready") return;
    throw new VramError("STOPPED", `the worker is ${this.#state}; open a new residency`, {
      details: { state: this.#state },
      cause: this.signal.reason,
    });
  }

  /** Leaves `ready` at once; whoever calls this calls `stop` when it knows the error. */
  halt(): void {
    if (this.#state === "ready") this.#state = "stopped";
  }

  /** Leaves `ready` because of `error`, and tells it; false if that was done before. */
  stop(error: VramError): boolean {
    return this.#leave("stopped", error);
  }

  close(): boolean {
    const first = this.#leave("closed", new VramError("STOPPED", "the residency was closed"));
    this.#state = "closed";
    return first;
  }

  #leave(state: ResidencyState, error: VramError): boolean {
    if (this.signal.aborted) return false;
    if (this.#state === "ready") this.#state = state;
    this.#controller.abort(error);
    return true;
  }
}
