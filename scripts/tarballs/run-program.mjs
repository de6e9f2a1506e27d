import { spawnSync } from "node:child_process";

/** Runs a program to its end and answers what it printed; a failure throws with its output. */
export function runProgram(program, args, { cwd, env = process.env } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed\n${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`);
  return stdout;
}
