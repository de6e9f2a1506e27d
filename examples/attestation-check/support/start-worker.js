// @ts-check
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const faults = new URL("faults-on-message.js", import.meta.url).href;
/** How device memory that holds a sealed model is mapped. */
const READ_ONLY = 1;
const ANSWER_MS = 10_000;
const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/**
 * Starts the worker as `npm start` does, but for these arguments, until the test ends at the latest.
 * @param {import("node:test").TestContext} t
 * @param {readonly string[]} changes
 */
export function startWorker(t, changes) {
  const [, ...usual] = scripts.start.split(" ");
  const child = spawn(process.execPath, ["--import", faults, ...usual, ...changes], { cwd: folder, stdio: ["ignore", "pipe", "inherit", "ipc"] });
  t.after(() => child.kill("SIGKILL"));
  const news = new EventEmitter();
  /** @type {Record<string, unknown>[]} */
  const lines = [];
  if (child.stdout === null) throw new TypeError("stdout must be a pipe");
  createInterface({ input: child.stdout }).on("line", (line) => news.emit("line", lines.push(JSON.parse(line))));
  const ended = once(child, "close").then(([code]) => code);
  ended.then(() => news.emit("line"));

  /**
   * Calls a function of vram-simulator/control in the worker.
   * @param {string} call
   * @param {unknown[]} args
   */
  async function fault(call, ...args) {
    if (!child.connected) throw new Error("the worker has ended");
    child.send({ call, args });
    const [{ answer }] = await once(child, "message", { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer;
  }

  return {
    lines,
    fault,
    /** @type {Promise<number | null>} its exit code */
    ended,
    /** @param {NodeJS.Signals} signal */
    kill: (signal) => child.kill(signal),
    /**
     * The first line of its log with this event.
     * @param {string} event
     */
    async told(event) {
      for (;;) {
        const found = lines.find((line) => line["event"] === event);
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`ended without ${event}: ${JSON.stringify(lines)}`);
        await once(news, "line");
      }
    },
    /** The device memory of the sealed model; undefined where there is none. */
    async sealed() {
      const { allocations } = await fault("simulatorStats");
      return allocations.find((/** @type {{ access: number }} */ { access }) => access === READ_ONLY);
    },
  };
}
