import { spawn } from "node:child_process";
import { textProblem } from "vram-text";
import { errnoOf, invalidInput, unavailable } from "../audit-error.js";
import type { Anchor, AnchorOptions } from "./anchor.js";
import { makeAnchor } from "./make-anchor.js";

const ARGUMENT_MAX_LENGTH = 4096;

/**
 * Hands each checkpoint to a program on its standard input; exit code 0 says that it is kept. There is no shell, and the program's environment is
 * `PATH` and `HOME` alone. At the end of its time it is killed.
 * @throws AuditError `INVALID_INPUT`
 */
export function commandAnchor(command: readonly [program: string, ...args: string[]], options: AnchorOptions = {}): Anchor {
  if (!isCommand(command)) throw invalidInput("command", "be a list of a program and its arguments");
  const [program, ...args] = command;
  return makeAnchor("command", options, ({ note }, signal) => pipeTo(program, args, note, signal));
}

function isCommand(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((word) => textProblem(word, ARGUMENT_MAX_LENGTH) === undefined);
}

function pipeTo(program: string, args: readonly string[], note: string, signal: AbortSignal): Promise<void> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { PATH, HOME }, stdio: ["pipe", "ignore", "ignore"], signal, killSignal: "SIGKILL" });
    child.once("error", (error) => {
      reject(unavailable("command", `the anchor's command cannot be run (${errnoOf(error)})`, { errno: errnoOf(error) }));
    });
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(unavailable("exit", `the anchor's command ended with ${code ?? "a signal"}`, { exitCode: code }));
    });
    // A program that does not read its input tells by its exit code what that means.
    child.stdin.on("error", () => undefined);
    child.stdin.end(note);
  });
}
