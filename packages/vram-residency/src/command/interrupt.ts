import type { ExitCode } from "./exit-codes.js";
import { EXIT } from "./exit-codes.js";

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

/** Turns Ctrl-C and SIGTERM into an abort, so that device memory is wiped before the command ends. */
export class Interrupt {
  readonly #controller = new AbortController();
  #code: ExitCode | undefined;

  constructor() {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 130 or 143 once a signal came. */
  get exitCode(): ExitCode | undefined {
    return this.#code;
  }

  [Symbol.dispose](): void {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: "SIGINT" | "SIGTERM"): void => {
    process.stderr.write(
      this.#code === undefined ? `${name}: wiping device memory, then ending\n` : `${name}: still wiping device memory\n`,
    );
    this.#code ??= CODES[name];
    this.#controller.abort();
  };
}
