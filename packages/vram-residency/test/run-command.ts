import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The built command. */
export const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end in a process of its own. */
export function run(args: string[], options: { cwd?: string; onFirstOutput?: (kill: (signal: NodeJS.Signals) => void) => void } = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: options.cwd });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk: Buffer) => {
        if (name === "stdout" && output.stdout === "") options.onFirstOutput?.((signal) => child.kill(signal));
        output[name] += chunk.toString();
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, ...output });
    });
  });
}
