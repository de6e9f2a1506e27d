import { setMaxListeners } from "node:events";
import { VramError } from "./errors.js";

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

  /** Leaves `ready` because of `error`; false if it was left before. */
  stop(error: VramError): boolean {
    return this.#leave("stopped", error);
  }

  close(): boolean {
    const first = this.#leave("closed", new VramError("STOPPED", "the residency was closed"));
    this.#state = "closed";
    return first;
  }

  #leave(state: ResidencyState, error: VramError): boolean {
    if (this.#state !== "ready") return false;
    this.#state = state;
    this.#controller.abort(error);
    return true;
  }
}
