// Programs on loopback, each with a folder of its own, and what ends them.
import { spawn } from "node:child_process";

const ENDING_MS = 10_000;

/** Starts a program; `said()` is its output, `end(signal)` resolves to its exit code. A program that is not there is an error with `remedy`. */
export function start(program, args, { remedy, ...options } = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output = `${output}${chunk}`.slice(-20_000)));
  const ended = new Promise((resolve, reject) => {
    child.on("error", ({ code }) => reject(new Error(`cannot run ${program}: ${code}${remedy === undefined ? "" : `; ${remedy}`}`)));
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  ended.catch(() => undefined);
  const kill = () => child.kill();
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  const end = async (signal = "SIGTERM") => {
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), ENDING_MS);
    try {
      return await ended;
    } finally {
      clearTimeout(late);
    }
  };
  return { child, ended, end, said: () => output };
}

/** Asks again and again until there is an answer. @throws when the time is over, or a program that is needed has ended */
export async function until(what, ask, { seconds = 30, needs = [] } = {}) {
  const deadlineMs = Date.now() + seconds * 1000;
  let stopped;
  for (const { ended, said } of needs) ended.then((code) => (stopped = `ended with ${code}: ${said()}`), ({ message }) => (stopped = message));
  for (;;) {
    const answer = await Promise.resolve(ask()).catch(() => undefined);
    if (answer) return answer;
    if (stopped !== undefined) throw new Error(`${what}: ${stopped}`);
    if (Date.now() > deadlineMs) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
