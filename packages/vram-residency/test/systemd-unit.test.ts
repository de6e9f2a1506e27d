import { readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { itWithTool } from "../../vram-seal/test/support/tool.js";
import { temporaryFolder } from "./fixture.js";

const unit = fileURLToPath(new URL("../../../deploy/systemd/vram-residency.service", import.meta.url));

/** What systemd says of the unit, with a program that is installed here. */
async function verify(change: (text: string) => string): Promise<string> {
  const copy = join(await temporaryFolder(), "vram-residency.service");
  writeFileSync(copy, change(readFileSync(unit, "utf8").replace("/usr/bin/vram-residency", process.execPath)));
  const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", copy], { encoding: "utf8" });
  return `${status ?? "killed"} ${stdout}${stderr.split("\n").filter((line) => line.includes("vram-residency.service")).join("\n")}`;
}

itWithTool("systemd-analyze")("the systemd unit has no fault that systemd knows, and one that is made is found", async () => {
  expect(await verify((text) => text)).toBe("0 ");
  expect(await verify((text) => text.replace("ProtectSystem=strict", "ProtectSystem=strictly"))).toContain("strictly");
});
