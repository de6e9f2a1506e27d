/** Runs operations one after another, the first at once. */
export class OperationQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #unsettled = 0;

  get busy(): boolean {
    return this.#unsettled > 0;
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    const started = this.busy ? this.#tail.then(operation) : operation();
    this.#unsettled += 1;
    const settled = (): void => {
      this.#unsettled -= 1;
    };
    this.#tail = started.then(settled, settled);
    return started;
  }
}
