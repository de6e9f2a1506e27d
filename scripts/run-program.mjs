import { spawnSync } from "node:child_process";

/** Runs a program to its end and answers what it printed. `options` are those of `spawnSync`. @throws with all that it printed, where it fails */
export function runProgram(program, args, options) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed\n${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`);
  return stdout;
}
