import { spawnSync } from "node:child_process";
import { it } from "vitest";

/** A test against what is not ours. Skipped where that is absent, except that with VRAM_REQUIRE_TOOLS set it runs and fails. */
export const itWhere = (isThere: boolean): typeof it.skip => (isThere || process.env["VRAM_REQUIRE_TOOLS"] ? it : it.skip);

export const isThere = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;

/** A test against an independent program. */
export const itWithTool = (tool: string): typeof it.skip => itWhere(isThere(tool));

/** Standard output of a program that must succeed. */
export function runTool(tool: string, parameters: readonly string[], input: Uint8Array = new Uint8Array()): Buffer {
  const { error, status, stdout, stderr } = spawnSync(tool, parameters, { input });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${tool} failed with ${String(status)}: ${stderr.toString()}`);
  return stdout;
}
