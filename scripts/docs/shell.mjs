// The commands of a shell block, as a reader would enter them one by one.
import { spawnSync } from "node:child_process";

const EXIT = /\s# exits (?<code>[0-9]+)$/;

/** `{ line, text, exitCode }` each; a command may go on over lines. `# exits 3` behind one says how it ends. */
export function commandsOf({ line: first, text }) {
  const commands = [];
  let lines = [];
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    if (lines.length === 0 && /^\s*(#|$)/.test(line)) continue;
    lines.push(line);
    if (!isWhole(lines)) continue;
    commands.push({ line: first + index - lines.length + 1, text: lines.join("\n"), exitCode: Number(EXIT.exec(line)?.groups.code ?? 0) });
    lines = [];
  }
  if (lines.length > 0) commands.push({ line: first, text: lines.join("\n"), exitCode: 0 });
  return commands;
}

/** Bash warns of a here-document that does not end, and takes a line that goes on for a whole one. */
function isWhole(lines) {
  if (lines.at(-1).endsWith("\\")) return false;
  const { status, stderr } = spawnSync("bash", ["-n"], { input: lines.join("\n"), encoding: "utf8" });
  return status === 0 && stderr === "";
}
