import { setImmediate } from "node:timers/promises";

const STEPS_BETWEEN = 1024;

/** Lets the event loop turn within long work: await `step()` after each small part. */
export class Pauses {
  #steps = 0;

  step(): Promise<void> | undefined {
    this.#steps += 1;
    return this.#steps % STEPS_BETWEEN === 0 ? setImmediate() : undefined;
  }
}
