import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

describe("RP-005 test_audit_trail a log of several segments", () => {
  it("shows every kind of change at every kind of place, with its line and reason", () => {
    const script = fileURLToPath(new URL("../../../scripts/tamper-test.mjs", import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, "--events", "200"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^\d+ lines in \d+ segments, 1\d\d changes: 1\d\d found and named, 0 not\n$/);
  });
});
