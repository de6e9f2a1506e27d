import { toVramError } from "../errors.js";

const CODES = { red: 31, green: 32, yellow: 33 } as const;

export type Colour = keyof typeof CODES;

/** Text in a colour, where stdout is a terminal that shows it and NO_COLOR is not set. */
export function coloured(text: string, colour: Colour | undefined): string {
  const { stdout } = process;
  return colour !== undefined && stdout.isTTY && stdout.hasColors() ? `\u001b[${CODES[colour]}m${text}\u001b[39m` : text;
}

/** Where a command writes. With `--json`, stdout holds one JSON value, or those of a stream's lines, and nothing else. */
export class Output {
  readonly #json: boolean;

  constructor({ json }: { readonly json: boolean }) {
    this.#json = json;
  }

  /** A line for people; silent with `--json`. */
  say(line: string): void {
    if (!this.#json) process.stdout.write(`${line}\n`);
  }

  /** A line of a stream, in either mode. Resolves once it has gone out, to whether it has: a reader may have left. */
  line(text: string): Promise<boolean> {
    return new Promise((resolve) => {
      process.stdout.write(`${text}\n`, (error) => {
        resolve(!error);
      });
    });
  }

  /** The result: the JSON value with `--json`, else nothing. */
  result(value: unknown): void {
    if (this.#json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** A notice that must be seen in either mode. */
  notice(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  fail(error: unknown): void {
    const { code, message, details } = toVramError(error);
    this.notice(`${code}: ${message}`);
    this.result({ error: { code, message, details } });
  }
}
