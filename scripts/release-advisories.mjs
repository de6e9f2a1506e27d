// Asks the registry which known vulnerabilities the packages' production dependencies have; any is a failure, and so is no answer.
// npm run release:advisories
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./checks/tree.mjs";

const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { status, stdout, stderr, error } = spawnSync("npx", ["--yes", "--prefer-offline", packageManager, "audit", "--prod"], { cwd: root, encoding: "utf8" });
const output = `${error?.message ?? ""}${stdout}${stderr}`.trim();
if (/AUDIT_(BAD_RESPONSE|ENDPOINT_NOT_EXISTS)/.test(output)) {
  console.error("The registry in force has no advisory endpoint, so nothing is known: ask one that has it, before a release.");
}
if (output !== "") console.log(output);
process.exitCode = status === 0 ? 0 : 1;
