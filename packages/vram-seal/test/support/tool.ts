import { spawnSync } from "node:child_process";
import { it } from "vitest";

/**
 * A test against an independent program. Skipped where the program is absent, except that with VRAM_REQUIRE_TOOLS set it
 * runs and fails.
 */
export function itWithTool(tool: string): typeof it.skip {
  const present = spawnSync(tool, ["--version"]).error === undefined;
  return present || process.env["VRAM_REQUIRE_TOOLS"] ? it : it.skip;
}

/** Standard output of a program that must succeed. */
export function runTool(tool: string, parameters: readonly string[], input: Uint8Array = new Uint8Array()): Buffer {
  const { error, status, stdout, stderr } = spawnSync(tool, parameters, { input });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${tool} failed with ${String(status)}: ${stderr.toString()}`);
  return stdout;
}
