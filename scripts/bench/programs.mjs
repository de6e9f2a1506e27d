// Other programs: whether they are here, and how long one takes from its start to its end.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { createInterface } from "node:readline";

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill();
});

export const hasProgram = (name) => spawnSync(name, ["--version"]).error === undefined;

/** Runs a program to its end. @throws Error with what it said, where it fails. */
export async function runProgram(program, args) {
  const startMs = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const told = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].on("data", (data) => (told[name] += data));
  const [status] = await once(child, "close");
  const seconds = (performance.now() - startMs) / 1e3;
  running.delete(child);
  if (status !== 0) throw new Error(`${basename(program)} ended with ${status}: ${told.stderr.trim()}`);
  return { seconds, stdout: told.stdout };
}

/** Starts a program that answers every line with a line, until this process ends: for what takes long to start. */
export function startAnswering(program, args) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  running.add(child);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const each of [child, child.stdin, child.stdout]) each.unref();
  return async () => {
    child.stdout.ref();
    child.stdin.write("\n");
    const { value, done } = await answers.next();
    child.stdout.unref();
    if (done) throw new Error(`${basename(program)} ended without an answer`);
    return value;
  };
}
