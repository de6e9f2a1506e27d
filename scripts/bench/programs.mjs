// Other programs: whether they are here, and how long one takes from its start to its end.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";

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
