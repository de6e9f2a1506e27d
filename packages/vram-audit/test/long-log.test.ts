import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

describe("the verification of a log", () => {
  it("takes at most 32 MiB more memory than that of a log a sixteenth as long", () => {
    const script = fileURLToPath(new URL("../../../scripts/long-log-test.mjs", import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, "--mebibytes", "32"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^(?:\d+ lines, .*\n {2}verified .*\n {2}resumed .*\n){2}the longer log's peak is .*\n$/);
  }, 60_000);
});
