/** Counts who uses something right now, and tells when nobody does. */
export class Pins {
  #count = 0;
  #idle: Promise<void> = Promise.resolve();
  #settle: () => void = () => undefined;

  /** Takes one pin; the returned function gives it back, once. */
  take(): () => void {
    if (this.#count === 0) {
      this.#idle = new Promise((resolve) => {
        this.#settle = resolve;
      });
    }
    this.#count += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#count -= 1;
      if (this.#count === 0) this.#settle();
    };
  }

  /** Resolves when no pin is held. The caller makes sure that no new one is taken meanwhile. */
  idle(): Promise<void> {
    return this.#idle;
  }
}
