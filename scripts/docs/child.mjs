// A child process in a group of its own, ended within a time limit.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";

const LIMIT_MS = 30_000;
const TERMINATED = 128 + constants.signals.SIGTERM;
const TOLD_LINES = 12;

export class Child {
  #process;
  #closed;
  #output = "";

  constructor(program, args, options) {
    this.#process = spawn(program, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.#closed = once(this.#process, "close");
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.#output += text;
      });
    }
  }

  /** What is wrong with how it ends by itself. */
  async end(expected) {
    const timer = setTimeout(() => this.#kill("SIGKILL"), LIMIT_MS);
    const [code, signal] = await this.#closed;
    clearTimeout(timer);
    return code === expected ? undefined : `ended with ${signal ?? code}, not ${expected}: ${this.#told()}`;
  }

  /** Waits until it says something; answers what is wrong if it ends before, or stays silent. */
  async begin() {
    const spoken = once(this.#process.stdout, "data").then(() => undefined);
    const ended = this.#closed.then(([code, signal]) => `ended with ${signal ?? code}, and should run on: ${this.#told()}`);
    const silent = new Promise((resolve) => {
      setTimeout(() => resolve("said nothing in time"), LIMIT_MS).unref();
    });
    return Promise.race([spoken, ended, silent]);
  }

  /** Ends what runs on, as a service manager does; answers what is wrong if it does not end in order. */
  async stop() {
    this.#kill("SIGTERM");
    const timer = setTimeout(() => this.#kill("SIGKILL"), LIMIT_MS);
    const [code, signal] = await this.#closed;
    clearTimeout(timer);
    return code === 0 || code === TERMINATED || signal === "SIGTERM" ? undefined : `ended with ${signal ?? code} at SIGTERM: ${this.#told()}`;
  }

  #kill(signal) {
    try {
      process.kill(-this.#process.pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }

  #told() {
    return this.#output.trim().split("\n").slice(-TOLD_LINES).join("\n          ");
  }
}
