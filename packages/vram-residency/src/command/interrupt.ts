import type { ExitCode } from "./exit-codes.js";
import { EXIT } from "./exit-codes.js";

const CODES = { SIGHUP: EXIT.hungUp, SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

type EndingSignal = keyof typeof CODES;
const ENDING_SIGNALS = Object.keys(CODES) as EndingSignal[];

/** Turns Ctrl-C, SIGTERM and a closed terminal into an abort, so that a command ends in order: device memory is wiped before. */
export class Interrupt {
  readonly #controller = new AbortController();
  #code: ExitCode | undefined;
  #waitingFor: () => string = () => "still ending";
  #hangUp: (() => void) | undefined;

  /** @param ending what a first signal is told */
  constructor(private readonly ending: string) {
    for (const name of ENDING_SIGNALS) process.on(name, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 129, 130 or 143 once a signal came. */
  get exitCode(): ExitCode | undefined {
    return this.#code;
  }

  /** What a second signal is told that the first is waiting for. */
  waitFor(describe: () => string): void {
    this.#waitingFor = describe;
  }

  /** From here on SIGHUP asks for something else than the end. */
  onHangUp(handle: () => void): void {
    this.#hangUp = handle;
  }

  [Symbol.dispose](): void {
    for (const name of ENDING_SIGNALS) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: EndingSignal): void => {
    if (name === "SIGHUP" && this.#hangUp !== undefined) {
      this.#hangUp();
      return;
    }
    process.stderr.write(`${name}: ${this.#code === undefined ? this.ending : this.#waitingFor()}\n`);
    this.#code ??= CODES[name];
    this.#controller.abort();
  };
}
