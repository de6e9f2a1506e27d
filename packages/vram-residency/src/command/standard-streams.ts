/**
 * Listens for errors of stdout and stderr: a reader that went away, a terminal that closed, a disk that is full. Without a
 * listener they would end the process before device memory is wiped.
 */
export class StandardStreams {
  #stdoutError: NodeJS.ErrnoException | undefined;

  constructor() {
    process.stdout.on("error", this.#onStdoutError);
    process.stderr.on("error", this.#onStderrError);
  }

  /** Resolves once all that was written to stdout so far has gone out, to the error if something has not. */
  async flush(): Promise<NodeJS.ErrnoException | undefined> {
    await new Promise<void>((resolve) => {
      process.stdout.write("", () => {
        setImmediate(resolve);
      });
    });
    return this.#stdoutError;
  }

  readonly #onStdoutError = (error: NodeJS.ErrnoException): void => {
    this.#stdoutError ??= error;
  };

  readonly #onStderrError = (): void => undefined;
}
