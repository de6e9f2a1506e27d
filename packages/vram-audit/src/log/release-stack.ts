/** What has been opened so far, given up in reverse order. */
export class ReleaseStack {
  readonly #releases: (() => Promise<void>)[] = [];

  add(release: () => Promise<void>): void {
    this.#releases.push(release);
  }

  /** A release that fails does not keep the others: what is left then ends with the process. */
  async release(): Promise<void> {
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      await release().catch(() => undefined);
    }
  }
}
